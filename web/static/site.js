// The one script of the site. Everything works without it: it fills in the time zone and looks ahead; it sends no form.
"use strict";

const zone = document.querySelector("input[data-guess]");
if (zone && zone.value === zone.defaultValue) {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
}

const area = document.querySelector("[data-preview]");
const said = document.querySelector("[data-said]");
let timer = 0;
let asking = new AbortController();

function show(html) {
  area.innerHTML = html; // our own page's part, escaped where it was made
  area.removeAttribute("aria-busy");
  said.textContent = area.querySelector("[data-summary]")?.dataset.summary ?? area.textContent;
}

const FAILED = "<p>The preview cannot be shown just now.</p>";

async function look(topic) {
  asking.abort();
  asking = new AbortController();
  if (!topic.trim()) return show("");
  area.setAttribute("aria-busy", "true");
  try {
    const query = new URLSearchParams({ fragment: "1", q: topic });
    const answer = await fetch(`${area.dataset.preview}?${query}`, { signal: asking.signal, credentials: "omit" });
    // An error page of a proxy on the way, or whatever else is not ours, is never put into the page.
    show(answer.headers.get("X-Part") === "preview" ? await answer.text() : FAILED);
  } catch (error) {
    if (error.name !== "AbortError") show(FAILED);
  }
}

if (area && said) {
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-topic]")) return;
    clearTimeout(timer);
    timer = setTimeout(look, 400, event.target.value);
  });
}
