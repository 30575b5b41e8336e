"""The page, in a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

import memn2n
from memn2n import MemoryLM, StoryQA
from tests.serve.conftest import STORY, Server, serving

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")  # Playwright runs an event loop meanwhile, which excludes asyncio.run
def browser() -> Iterator[Browser]:
    """Chromium. If MEMN2N_CHROMIUM names a binary, it must exist."""
    named = os.environ.get("MEMN2N_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium); MEMN2N_CHROMIUM can name its binary")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=_QUIET)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A window that must log no error and must send no request to another host."""
    opened = browser.new_context(viewport={"width": 1100, "height": 900}, base_url=server.url)
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("weberror", lambda error: wrong.append(str(error.error)))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("request", lambda request: None if "://localhost" in request.url else wrong.append(request.url))
    yield opened
    opened.close()
    refusals = re.compile(r"the server responded with a status of 4\d\d|net::ERR_INTERNET_DISCONNECTED")
    assert [text for text in wrong if not refusals.search(text)] == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    opened = context.new_page()
    opened.goto("/")
    expect(opened.get_by_label("Question")).not_to_have_value("")
    return opened


def fill_in(page: Page, story: list[str], question: str) -> None:
    page.get_by_label("Story, one sentence per line").fill("\n".join(story))
    page.get_by_label("Question").fill(question)


def test_an_answer_with_its_attention(page: Page) -> None:
    fill_in(page, STORY, "Where is Mary?")
    expect(page.get_by_role("table")).to_have_count(0)
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer")).to_have_text("bathroom")
    answer = memn2n.pretrained().answer(STORY, "Where is Mary?")
    bars = page.get_by_role("list", name="The most probable answers").get_by_role("listitem")
    expect(bars).to_have_text([re.compile(rf"{word}\s*{100 * share:.1f}%") for word, share in answer.top])
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(1 + len(STORY))
    expect(rows.nth(0).get_by_role("columnheader")).to_have_text(
        ["sentence", *(f"hop {k + 1}" for k in range(len(answer.attention)))]
    )
    for position, sentence in enumerate(STORY):
        expect(rows.nth(position + 1).get_by_role("rowheader")).to_have_text(sentence)
        expect(rows.nth(position + 1).get_by_role("cell")).to_have_text(
            [f"{hop[position]:.2f}" for hop in answer.attention]
        )


def test_the_answer_changes_when_the_story_is_edited(page: Page) -> None:
    fill_in(page, STORY, "Where is Mary?")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer")).to_have_text("bathroom")
    page.get_by_label("Story, one sentence per line").fill("\n".join([*STORY, "Mary went to the garden."]))
    expect(page.locator("#answer")).to_have_text("garden")
    page.get_by_label("Question").fill("Where is John?")
    expect(page.locator("#answer")).to_have_text("hallway")


def test_examples_of_each_skill(page: Page, server: Server) -> None:
    examples = server.ask("/api/examples").json["examples"]
    qa = memn2n.pretrained()
    page.get_by_role("button", name="Ask").click()
    for example in examples:
        page.get_by_label("Example of a skill").select_option(f"{example['task']}: {example['skill']}")
        expect(page.get_by_label("Story, one sentence per line")).to_have_value("\n".join(example["story"]))
        answer = qa.answer(example["story"], example["question"])
        expect(page.locator("#answer")).to_have_text(answer.text)
        right = answer.text == example["answer"]
        expect(page.locator("#truth")).to_have_text(
            "correct" if right else f"wrong; the correct answer is {example['answer']}"
        )
        expect(page.get_by_role("rowheader", name="supporting fact")).to_have_count(len(set(example["support"])))
    page.reload()
    expect(page.locator("#truth")).to_have_text(
        "correct" if right else f"wrong; the correct answer is {example['answer']}"
    )
    page.get_by_role("button", name="Another story").click()
    expect(page.get_by_label("Story, one sentence per line")).not_to_have_value("\n".join(examples[-1]["story"]))
    expect(page.get_by_label("Example of a skill")).to_have_value("20")
    page.get_by_label("Story, one sentence per line").fill("A story of my own.")
    expect(page.get_by_label("Example of a skill")).to_have_value("")
    expect(page.get_by_role("button", name="Another story")).to_be_disabled()


def test_remarks_on_dropped_sentences_and_unknown_words(page: Page) -> None:
    fill_in(page, [*STORY] * 66, "Where is Zelda qwertyuiop?")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#remarks")).to_contain_text("did not fit into the memory: 2.")
    expect(page.locator("#remarks")).to_contain_text("Words that are not in the vocabulary: zelda, qwertyuiop.")
    expect(page.get_by_role("cell", name="not in memory")).to_have_count(2)


def test_unseen_words_and_renamings(page: Page, exchanging: StoryQA, model: Path, tmp_path: Path) -> None:
    with serving(model) as other:
        page.goto(f"{other.url}/")
        expect(page.get_by_label("Question")).to_be_visible()
        expect(page.get_by_label("Mean over renamings")).to_be_hidden()  # its model has no exchangeable words
    exchanging.save(tmp_path / "model")
    story = ["Mary moved to the cellar.", STORY[1]]
    with serving(tmp_path / "model") as other:
        page.goto(f"{other.url}/")
        fill_in(page, story, "Where is Mary?")
        for renamings in (1, 4):
            page.get_by_label("Mean over renamings").fill(str(renamings))
            page.get_by_role("button", name="Ask").click()
            answer = exchanging.answer(story, "Where is Mary?", renamings=renamings)
            expect(page.locator("#answers li").first).to_have_text(
                re.compile(rf"cellar\s*{100 * answer.probability:.1f}%")
            )
            expect(page.locator("#remarks")).to_contain_text("read like a known word: cellar as ")


def test_errors_are_shown_with_their_field(page: Page) -> None:
    fill_in(page, STORY, "")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("no word in the question")
    expect(page.get_by_label("Question")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Story, one sentence per line")).to_have_attribute("aria-invalid", "false")
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("tab", name="Stories").click()
    page.get_by_label("Question").fill("Where is Mary?")
    page.get_by_label("Question").press("Enter")
    expect(page.locator("#answer")).to_have_text("bathroom")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.context.set_offline(True)
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
    expect(page.locator("#answer")).to_be_hidden()
    page.context.set_offline(False)
    page.get_by_label("Question").fill("Where is John?")
    expect(page.locator("#answer")).to_have_text("hallway")


def test_a_click_appends_a_next_word(page: Page, toy: Path) -> None:
    page.get_by_role("tab", name="Text").click()
    page.get_by_label("Text so far").fill("the cat")
    page.get_by_role("button", name="What comes next?").click()
    lm = MemoryLM.load(toy)
    found = lm.next_words("the cat")
    expect(page.locator("#next-word")).to_have_text(found.text)
    bars = page.get_by_role("list", name="The most probable next words").get_by_role("listitem")
    expect(bars).to_have_text([re.compile(rf"{word}\s*{100 * share:.1f}%") for word, share in found.ranked])
    expect(page.locator("#memory span")).to_have_text(["the", "cat"])
    page.locator("#memory span").nth(1).hover()
    expect(page.locator("#next-reading")).to_have_text(
        f"“cat”, 1 word back: hop 1 {100 * found.attention[0, 1]:.1f}%, hop 2 {100 * found.attention[1, 1]:.1f}%"
    )
    page.get_by_label("hop 2").check()
    shades = [100 * weight / found.attention[1].max() for weight in found.attention[1]]
    for i, share in enumerate(shades):
        weight = page.locator("#memory span").nth(i).evaluate("span => span.style.getPropertyValue('--weight')")
        assert 100 * float(weight) == pytest.approx(share, abs=0.1)
    page.get_by_role("button", name=found.text, exact=True).click()
    expect(page.get_by_label("Text so far")).to_have_value(f"the cat {found.text}")
    expect(page.locator("#memory span")).to_have_text(["the", "cat", found.text])
    expect(page.get_by_label("hop 2")).to_be_checked()
    expect(page.get_by_role("list", name="next words").get_by_role("button").first).to_be_focused()
    page.get_by_role("option", name="cat").focus()
    expect(page.get_by_role("option", name="cat")).to_have_accessible_description(
        re.compile("“cat”, 2 words back: hop 1")
    )


def test_a_link_contains_the_story(page: Page, context: BrowserContext, server: Server) -> None:
    story = [*STORY, "Zoë & Bob = 100% #1 + <b>?"]
    fill_in(page, story, "Where is Mary?")
    page.locator("#qa-model").select_option("first")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy a link to this").click()
    expect(page.get_by_role("status")).to_have_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{server.url}/#story=")
    other = context.new_page()
    other.goto(link)
    expect(other.locator("#answer")).to_have_text("bathroom")
    expect(other.get_by_label("Story, one sentence per line")).to_have_value("\n".join(story))
    expect(other.locator("#qa-model")).to_have_value("first")
    other.goto(f"/#{urlencode({'text': 'the dog'})}")
    expect(other.get_by_label("Text so far")).to_have_value("the dog")
    expect(other.locator("#memory span")).to_have_text(["the", "dog"])


def test_user_input_is_shown_as_text(page: Page) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    fill_in(page, [evil, *STORY], f"Where is {evil}?")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("rowheader").first).to_have_text(evil)
    page.get_by_role("cell").first.hover()
    expect(page.locator("#reading")).to_contain_text(evil)
    expect(page.locator("#remarks")).to_contain_text("<, img, src, =, x, onerror, alert, 1, >, script")
    page.get_by_role("tab", name="Text").click()
    page.get_by_label("Text so far").fill(evil)
    page.get_by_role("button", name="What comes next?").click()
    expect(page.locator("#memory span").first).to_have_text("<img")
    assert page.locator("main img, main script").count() == 0


def test_the_page_can_be_used_by_keyboard_alone(page: Page) -> None:
    fill_in(page, STORY, "Where is Mary?")
    page.get_by_label("Question").press("Tab")
    expect(page.get_by_role("button", name="Ask")).to_be_focused()
    page.keyboard.press("Enter")
    cells = page.get_by_role("cell")
    hops = len(memn2n.pretrained().answer(STORY, "Where is Mary?").attention)
    expect(cells).to_have_count(2 * hops)
    for _ in range(4):  # model, renamings, link, table
        page.keyboard.press("Tab")
    expect(cells.nth(0)).to_be_focused()
    expect(page.locator("#reading")).to_contain_text("Hop 1 puts")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(cells.nth(hops + 1)).to_be_focused()
    expect(page.locator("#reading")).to_contain_text(f"of its attention on sentence 2: “{STORY[1]}”")
    page.keyboard.press("End")
    expect(cells.nth(2 * hops - 1)).to_be_focused()
    address = page.url
    page.get_by_role("link", name="Skip to the form").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    assert page.url == address
    page.get_by_role("tab", name="Stories").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Text")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Text")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="Stories")).to_be_hidden()


def test_narrow_screens_and_dark_mode(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer")).not_to_have_text("")
    expect(page.locator("#answer")).to_be_in_viewport()
    fill_in(page, [*STORY, "Mary took the " + "x" * 100], f"Where is the {'y' * 100}?")
    expect(page.locator("#remarks")).to_contain_text("y" * 100)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(background) != light


def test_the_page_asks_for_the_token(context: BrowserContext, guarded: Server) -> None:
    page = context.new_page()
    page.goto(f"{guarded.url}/")
    expect(page.get_by_role("alert")).to_contain_text("token")
    page.get_by_label("token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("token").fill("secret")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer")).not_to_have_text("")
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_text("This server has no language model.")).to_be_visible()


def test_the_documentation_opens(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/docs")
    page.get_by_text("/api/answers").click()
    expect(page.get_by_text("Answer many questions at once")).to_be_visible()


def test_a_screenshot_for_the_readme(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Example of a skill").select_option("2: two supporting facts")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("table")).to_be_visible()
    file = Path(os.environ.get("MEMN2N_ARTIFACTS", tmp_path)) / "page.png"
    page.screenshot(path=file, full_page=True)
    assert file.read_bytes().startswith(b"\x89PNG")
