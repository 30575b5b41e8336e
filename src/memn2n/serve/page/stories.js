// The tab for stories: examples, the question, its answer, and the weight of each hop on each sentence.

import { get, post } from "./api.js";
import { byId, element, percent, addNavigation, shade, showBars, showLines } from "./show.js";

let examples = [];
let seed = 0;

export const sentences = () =>
  byId("story")
    .value.split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

export async function loadExamples(signal) {
  ({ examples } = await get(`api/examples?seed=${seed}`, signal));
  const select = byId("example");
  const before = select.value;
  const none = new Option("choose one", "");
  select.replaceChildren(none, ...examples.map((one) => new Option(`${one.task}: ${one.skill}`, one.task)));
  select.value = before;
}

export function showExample(task) {
  const example = examples.find((one) => one.task === Number(task));
  if (!example) return;
  byId("story").value = example.story.join("\n");
  byId("question").value = example.question;
  updateChoice();
}

const formText = () => [...sentences(), byId("question").value].join("\n");

// The example that the form shows, or undefined if the user has changed it.
const shownExample = () => examples.find((one) => [...one.story, one.question].join("\n") === formText());

// Selects the example that the form shows. If it shows a story of the user, another story must not replace it.
export function updateChoice() {
  const shown = shownExample();
  byId("example").value = shown ? String(shown.task) : "";
  byId("another").disabled = !shown;
}

export async function anotherStory(signal) {
  seed += 1;
  const task = byId("example").value;
  const before = formText();
  await loadExamples(signal);
  if (formText() === before) showExample(task);
  else updateChoice(); // the user has edited the form meanwhile
}

export async function ask(signal) {
  const story = sentences();
  const question = byId("question").value;
  const known = shownExample();
  const renamings = Math.max(1, Number.parseInt(byId("renamings").value, 10) || 1);
  const answer = await post("api/answer", { story, question, renamings, model: byId("qa-model").value || null }, signal);
  byId("result").hidden = false; // first, so that screen readers announce the changes
  byId("answer").textContent = answer.prediction;
  byId("truth").textContent = !known ? "" : known.answer === answer.prediction ? "correct" : `wrong; the correct answer is ${known.answer}`;
  showBars(byId("answers"), answer.top);
  const remarks = [];
  if (answer.dropped.length) remarks.push(`Oldest sentences that did not fit into the memory: ${answer.dropped.length}.`);
  if (answer.unknown_words.length) remarks.push(`Words that are not in the vocabulary: ${answer.unknown_words.join(", ")}.`);
  if (answer.placed.length)
    remarks.push(`Words that are not in the vocabulary, read like a known word: ${answer.placed.map((two) => two.join(" as ")).join(", ")}.`);
  if (known?.support.length) remarks.push("★ marks the supporting facts, from which the correct answer follows.");
  showLines(byId("remarks"), remarks);
  showHeat(story, answer, new Set(known?.support));
}

function showHeat(story, answer, support) {
  const hops = answer.attention;
  const dropped = new Set(answer.dropped);
  const head = element("tr");
  head.append(element("th", "sentence"), ...hops.map((_, hop) => element("th", `hop ${hop + 1}`)));
  head.childNodes.forEach((cell) => (cell.scope = "col"));
  const cells = [];
  const descriptions = [];
  const rows = story.map((sentence, position) => {
    const row = element("tr");
    const name = element("th", sentence, support.has(position) ? "support" : "");
    name.scope = "row";
    name.dir = "auto";
    if (support.has(position)) name.append(element("span", " (supporting fact)", "hidden"));
    row.append(name);
    if (dropped.has(position)) {
      const cell = element("td", "not in memory", "unread");
      cell.colSpan = hops.length;
      row.append(cell);
      return row;
    }
    hops.forEach((weights, hop) => {
      const cell = element("td", weights[position].toFixed(2));
      shade(cell, weights[position]);
      cell.classList.toggle("faint", weights[position] < 0.05);
      cells.push(cell);
      descriptions.push(`Hop ${hop + 1} puts ${percent(weights[position])} of its attention on sentence ${position + 1}: “${sentence}”`);
      row.append(cell);
    });
    return row;
  });
  const top = element("thead");
  const body = element("tbody");
  top.append(head);
  body.append(...rows);
  byId("heat").replaceChildren(top, body);
  addNavigation(cells, hops.length, byId("reading"), (i) => descriptions[i]);
}
