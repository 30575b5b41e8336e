// The page as a whole: tabs, forms, errors, the token, and links that contain the story or the text.

import { Refused, get, keepToken } from "./api.js";
import { byId } from "./show.js";
import { anotherStory, ask, loadExamples, showExample, updateChoice } from "./stories.js";
import { next } from "./text.js";

const PAUSE = 150; // milliseconds after the last key until an edited story is sent again
const TABS = ["stories", "text"];
const FIELDS = { story: "story", question: "question", text: "words" };
const RESULTS = ["result", "next-result"];

let running = null;
let timer = 0;
const asked = new Set();

function showTab(name, focus = false) {
  if (name !== shownTab()) showError(null);
  for (const tab of TABS) {
    const button = byId(`tab-${tab}`);
    button.ariaSelected = String(tab === name);
    button.tabIndex = tab === name ? 0 : -1;
    if (tab === name && focus) button.focus();
    byId(tab).hidden = tab !== name;
  }
}

const shownTab = () => TABS.find((tab) => !byId(tab).hidden);

function showError(error) {
  byId("error").textContent = error ? error.message : "";
  byId("error").hidden = !error;
  if (error) RESULTS.forEach((result) => (byId(result).hidden = true)); // they belong to an earlier story
  for (const [field, id] of Object.entries(FIELDS)) {
    byId(id).ariaInvalid = String(Boolean(error?.field?.startsWith(field)));
  }
  if (error?.code === "unauthorized") {
    byId("token-form").hidden = false;
    byId("token").focus();
  }
}

// Runs one action at a time: a new action cancels the one before.
async function attempt(action) {
  clearTimeout(timer);
  running?.abort();
  const own = (running = new AbortController());
  try {
    await action(own.signal);
    if (own === running) showError(null);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Refused)) throw error;
    if (own === running) showError(error);
  }
}

const askNow = () => {
  asked.add(askNow);
  keepInAddress("stories");
  return attempt(ask);
};

const nextNow = () => {
  asked.add(nextNow);
  keepInAddress("text");
  return attempt((signal) => next(signal, appendWord));
};

async function appendWord(word) {
  const words = byId("words");
  const list = byId("next-words");
  const byKeyboard = list.contains(document.activeElement);
  words.value = `${words.value.trimEnd()} ${word}`.trimStart();
  await nextNow();
  if (byKeyboard && !list.contains(document.activeElement)) list.querySelector("button")?.focus();
}

// Scrolls to the result if it is out of sight. On a phone it is below the form.
function reveal(result) {
  const shown = byId(byId("error").hidden ? result : "error");
  const { top } = shown.getBoundingClientRect();
  if (top < 0 || top > innerHeight - 80) shown.scrollIntoView();
}

// Sends the form again after an edit, if it was sent before.
function onEdit(again) {
  clearTimeout(timer);
  if (asked.has(again)) timer = setTimeout(again, PAUSE);
}

function address(tab) {
  const params =
    tab === "text"
      ? { text: byId("words").value, model: byId("lm-model").value }
      : { story: byId("story").value, question: byId("question").value, model: byId("qa-model").value };
  return `#${new URLSearchParams(params)}`;
}

const keepInAddress = (tab) => history.replaceState(null, "", address(tab));

async function copyLink() {
  keepInAddress(shownTab());
  try {
    await navigator.clipboard.writeText(location.href);
    notify("The link is copied.");
  } catch {
    notify("Copy the page's address: it contains what you have written.");
  }
}

function notify(text) {
  byId("notice").textContent = text;
  setTimeout(() => (byId("notice").textContent = ""), 4000);
}

// Fills and sends the form that the address contains. Returns whether it contains one.
async function readAddress() {
  const params = new URLSearchParams(location.hash.slice(1));
  const choose = (select) => {
    const name = params.get("model");
    if ([...byId(select).options].some((option) => option.value === name)) byId(select).value = name;
    else if (name) notify(`This server has no model ${name}; another model answers.`);
  };
  if (params.has("text")) {
    byId("words").value = params.get("text");
    choose("lm-model");
    showTab("text");
    await nextNow();
  } else if (params.has("story")) {
    byId("story").value = params.get("story");
    byId("question").value = params.get("question") ?? "";
    choose("qa-model");
    updateChoice();
    showTab("stories");
    await askNow();
  } else return false;
  return true;
}

function offer(kind, models) {
  const own = models.filter((model) => model.kind === kind);
  byId(`${kind}-model`).replaceChildren(...own.map((model) => new Option(model.name, model.name)));
  byId(`${kind}-models`).hidden = own.length < 2;
  if (kind === "qa") byId("rename").hidden = !own.some((model) => model.exchangeable);
  byId(`no-${kind}`).hidden = own.length > 0;
  byId(kind).hidden = !own.length;
  return own.length;
}

async function start() {
  const { models, limits } = await get("api/models");
  byId("renamings").max = limits.renamings;
  byId("token-form").hidden = true;
  const stories = offer("qa", models);
  offer("lm", models);
  await loadExamples();
  if (await readAddress()) return;
  showTab(stories ? "stories" : "text");
  if (!byId("story").value && !byId("question").value) showExample(1); // otherwise the user has typed something meanwhile
}

for (const [i, tab] of TABS.entries()) {
  const button = byId(`tab-${tab}`);
  button.onclick = () => showTab(tab);
  button.onkeydown = (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") showTab(TABS[1 - i], true);
  };
}
byId("ask").onsubmit = async (event) => {
  event.preventDefault();
  await askNow();
  reveal("result");
};
byId("next").onsubmit = async (event) => {
  event.preventDefault();
  await nextNow();
  reveal("next-result");
};
byId("token-form").onsubmit = (event) => {
  event.preventDefault();
  attempt(() => {
    keepToken(byId("token").value);
    return start();
  });
};
byId("example").onchange = (event) => {
  if (!event.target.value) return;
  showExample(event.target.value);
  askNow();
};
byId("another").onclick = () =>
  attempt(async (signal) => {
    await anotherStory(signal);
    keepInAddress("stories");
    await ask(signal);
  });
for (const field of ["story", "question"]) {
  byId(field).oninput = () => {
    updateChoice();
    onEdit(askNow);
  };
}
byId("words").oninput = () => onEdit(nextNow);
byId("qa-model").onchange = () => onEdit(askNow);
byId("lm-model").onchange = () => onEdit(nextNow);
for (const button of document.querySelectorAll("button.link")) button.onclick = copyLink;
document.querySelector(".skip").onclick = (event) => {
  event.preventDefault(); // the address contains the story
  byId("main").focus();
};
window.onhashchange = readAddress;
attempt(start);
