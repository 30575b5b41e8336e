// The tab of text: what may come next, and how much each hop looks at each word before.

import { post } from "./api.js";
import { byId, element, percent, roam, shade, showBars, showLines } from "./show.js";

const ALL = "all";

// Shows what comes next; `goOn` is called with a word that is chosen.
export async function next(signal, goOn) {
  const text = byId("words").value;
  const found = await post("api/next-words", { text, model: byId("lm-model").value || null }, signal);
  byId("next-result").hidden = false; // first, so that what comes into it is announced
  byId("next-word").textContent = found.next[0].word;
  const ranked = found.next.map(({ word, probability }) => [word, probability]);
  showBars(byId("next-words"), ranked, (word) => {
    const button = element("button", word);
    button.type = "button";
    button.onclick = () => goOn(word);
    return button;
  });
  const unknown = found.unknown_words;
  showLines(byId("next-remarks"), unknown.length ? [`Never seen in training: ${unknown.join(", ")}.`] : []);
  showMemory(found.memory, found.attention);
}

function showMemory(memory, attention) {
  const words = memory.map((word) => element("span", word));
  words.forEach((word) => (word.role = "option"));
  byId("memory").replaceChildren(...words.flatMap((word) => [word, " "]));
  const mean = memory.map((_, i) => attention.reduce((sum, weights) => sum + weights[i], 0) / attention.length);
  const show = (hop) => {
    const weights = hop === ALL ? mean : attention[hop];
    const largest = Math.max(...weights); // shades tell words apart; the reading tells the weight itself
    words.forEach((word, i) => shade(word, weights[i] / largest));
  };
  const before = document.querySelector('input[name="hop"]:checked')?.value ?? ALL;
  const choices = [[ALL, "mean of the hops"], ...attention.map((_, hop) => [String(hop), `hop ${hop + 1}`])];
  const kept = choices.some(([value]) => value === before) ? before : ALL;
  byId("hops").replaceChildren(
    byId("hops").firstElementChild,
    ...choices.map(([value, name]) => {
      const label = element("label", ` ${name}`);
      const radio = element("input");
      Object.assign(radio, { type: "radio", name: "hop", value, checked: value === kept, onchange: () => show(value) });
      label.prepend(radio);
      return label;
    }),
  );
  show(kept);
  roam(words, 1, byId("next-reading"), (i) => {
    const weights = attention.map((row, hop) => `hop ${hop + 1} ${percent(row[i])}`);
    return `“${memory[i]}”, ${memory.length - i} back: ${weights.join(", ")}`;
  });
}
