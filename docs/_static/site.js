// Long names can break at a hump, an underscore or a dot: TwoLayer|Sigmoid|Classifier. In tables, which
// are narrow, from 13 letters on; in titles and text only those that nearly fill a line on a phone.
// The "=3000," of a call is no part of a name.
const BREAK = /(?<=[a-z_.])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\w{3}[_.])(?=[a-z]{2})/g;

function breakNames(places, length) {
  const long = new RegExp(`[\\w.]{${length},}`, "g");
  for (const place of document.querySelectorAll(places)) {
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const parts = text.data.replace(long, (name) => name.replace(BREAK, "\0")).split("\0");
      text.replaceWith(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : part)));
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  breakNames(".bd-article :is(td, th), .prev-next-title", 13);
  breakNames(".bd-article :is(h1, h2, h3, .seealso dt)", 20);
  breakNames(".bd-article code", 30);
});
