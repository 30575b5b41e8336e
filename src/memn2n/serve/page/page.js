// Ties the page together: tabs, forms, errors, the token, and the link that carries what was written.

import { Refused, get, keepToken } from "./api.js";
import { byId } from "./show.js";
import { anotherStory, ask, loadExamples, noteEdit, showExample } from "./stories.js";
import { next } from "./text.js";

const PAUSE = 150; // milliseconds without a key, after which an edited story is asked about again
const TABS = ["stories", "text"];
const FIELDS = { story: "story", question: "question", text: "words" };
const RESULTS = ["result", "next-result"];

let running = null;
let pause = 0;
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
  if (error) RESULTS.forEach((result) => (byId(result).hidden = true)); // they are those of an earlier story
  for (const [field, id] of Object.entries(FIELDS)) {
    byId(id).ariaInvalid = String(Boolean(error?.field?.startsWith(field)));
  }
  if (error?.code === "unauthorized") {
    byId("token-form").hidden = false;
    byId("token").focus();
  }
}

// Does one thing at a time: a newer one takes the place of what still runs.
async function attempt(action) {
  clearTimeout(pause);
  running?.abort();
  const mine = (running = new AbortController());
  try {
    await action(mine.signal);
    if (mine === running) showError(null);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Refused)) throw error;
    if (mine === running) showError(error);
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
  return attempt((signal) => next(signal, goOn));
};

async function goOn(word) {
  const words = byId("words");
  const list = byId("next-words");
  const chosenThere = list.contains(document.activeElement);
  words.value = `${words.value.trimEnd()} ${word}`.trimStart();
  await nextNow();
  if (chosenThere && !list.contains(document.activeElement)) list.querySelector("button")?.focus();
}

// Scrolls to what came of a click, where it is out of sight: on a phone it is below the form.
function reveal(result) {
  const shown = byId(byId("error").hidden ? result : "error");
  const { top } = shown.getBoundingClientRect();
  if (top < 0 || top > innerHeight - 80) shown.scrollIntoView();
}

// After an edit asks again, once something was asked.
function onEdit(again) {
  clearTimeout(pause);
  if (asked.has(again)) pause = setTimeout(again, PAUSE);
}

function address(tab) {
  const told =
    tab === "text"
      ? { text: byId("words").value, model: byId("lm-model").value }
      : { story: byId("story").value, question: byId("question").value, model: byId("qa-model").value };
  return `#${new URLSearchParams(told)}`;
}

const keepInAddress = (tab) => history.replaceState(null, "", address(tab));

async function copyLink() {
  keepInAddress(shownTab());
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied.");
  } catch {
    say("Copy the page's address: it carries what is written here.");
  }
}

function say(text) {
  byId("said").textContent = text;
  setTimeout(() => (byId("said").textContent = ""), 4000);
}

// Shows what the address carries, and asks it; returns whether there was anything.
async function readAddress() {
  const told = new URLSearchParams(location.hash.slice(1));
  const choose = (select) => {
    const name = told.get("model");
    if ([...byId(select).options].some((option) => option.value === name)) byId(select).value = name;
    else if (name) say(`No model ${name} is served here: another one is asked.`);
  };
  if (told.has("text")) {
    byId("words").value = told.get("text");
    choose("lm-model");
    showTab("text");
    await nextNow();
  } else if (told.has("story")) {
    byId("story").value = told.get("story");
    byId("question").value = told.get("question") ?? "";
    choose("qa-model");
    noteEdit();
    showTab("stories");
    await askNow();
  } else return false;
  return true;
}

function offer(kind, models) {
  const mine = models.filter((model) => model.kind === kind);
  byId(`${kind}-model`).replaceChildren(...mine.map((model) => new Option(model.name, model.name)));
  byId(`${kind}-models`).hidden = mine.length < 2;
  byId(`no-${kind}`).hidden = mine.length > 0;
  byId(kind).hidden = !mine.length;
  return mine.length;
}

async function start() {
  const { models } = await get("api/models");
  byId("token-form").hidden = true;
  const stories = offer("qa", models);
  offer("lm", models);
  await loadExamples();
  if (await readAddress()) return;
  showTab(stories ? "stories" : "text");
  if (!byId("story").value && !byId("question").value) showExample(1); // else something was typed meanwhile
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
    noteEdit();
    onEdit(askNow);
  };
}
byId("words").oninput = () => onEdit(nextNow);
byId("qa-model").onchange = () => onEdit(askNow);
byId("lm-model").onchange = () => onEdit(nextNow);
for (const button of document.querySelectorAll("button.link")) button.onclick = copyLink;
document.querySelector(".skip").onclick = (event) => {
  event.preventDefault(); // the address is the story's
  byId("main").focus();
};
window.onhashchange = readAddress;
attempt(start);
