// The tab for text: the most probable next words, and the weight of each hop on each word in the memory.

import { post } from "./api.js";
import { byId, element, percent, addNavigation, shade, showBars, showLines } from "./show.js";

const ALL = "all";

// Shows the next words. `choose` is called with the word that the user selects.
export async function next(signal, choose) {
  const text = byId("words").value;
  const found = await post("api/next-words", { text, model: byId("lm-model").value || null }, signal);
  byId("next-result").hidden = false; // first, so that screen readers announce the changes
  byId("next-word").textContent = found.next[0].word;
  const ranked = found.next.map(({ word, probability }) => [word, probability]);
  showBars(byId("next-words"), ranked, (word) => {
    const button = element("button", word);
    button.type = "button";
    button.onclick = () => choose(word);
    return button;
  });
  const unknown = found.unknown_words;
  showLines(byId("next-remarks"), unknown.length ? [`Words that are not in the vocabulary: ${unknown.join(", ")}.`] : []);
  showMemory(found.memory, found.attention);
}

function showMemory(memory, attention) {
  const words = memory.map((word) => element("span", word));
  words.forEach((word) => (word.role = "option"));
  byId("memory").replaceChildren(...words.flatMap((word) => [word, " "]));
  const mean = memory.map((_, i) => attention.reduce((sum, weights) => sum + weights[i], 0) / attention.length);
  const show = (hop) => {
    const weights = hop === ALL ? mean : attention[hop];
    const largest = Math.max(...weights); // the darkest word has the largest weight, whatever that is
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
  addNavigation(words, 1, byId("next-reading"), (i) => {
    const weights = attention.map((row, hop) => `hop ${hop + 1} ${percent(row[i])}`);
    const distance = memory.length - i;
    return `“${memory[i]}”, ${distance} ${distance === 1 ? "word" : "words"} back: ${weights.join(", ")}`;
  });
}
