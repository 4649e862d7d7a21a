"use strict";
// Fetches a creator's figures for another number of weeks and puts them in place. Without this script the same form
// loads the page again with the same figures.
(() => {
  const widget = document.querySelector("[data-insights]");
  if (!widget) return;
  const form = widget.querySelector("form[method=get]");
  const period = widget.querySelector("[data-period]");
  const list = widget.querySelector(".insights");
  const day = (text) => new Date(text).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

  const line = (insight) => {
    const item = document.createElement("li");
    item.dataset.insight = insight.insight;
    const title = document.createElement("h3");
    title.textContent = insight.title;
    const sentence = document.createElement("p");
    sentence.textContent = insight.sentence;
    const button = document.createElement("button");
    button.name = "insight";
    button.value = insight.insight;
    button.textContent = "Discuss";
    button.setAttribute("aria-label", `Discuss: ${insight.title}`);
    item.append(title, sentence, button);
    return item;
  };

  const show = (report) => {
    for (const cell of widget.querySelectorAll("[data-total]")) cell.textContent = report.totals[cell.dataset.total];
    list.replaceChildren(...report.insights.map(line));
    widget.querySelector("input[type=hidden][name=weeks]").value = report.weeks;
    period.textContent = `${day(report.since)} to ${day(report.until)}, compared with the ${report.weeks} week${report.weeks === 1 ? "" : "s"} before.`;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const weeks = form.elements.weeks.value;
    try {
      const answer = await fetch(`${widget.dataset.insights}&weeks=${encodeURIComponent(weeks)}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
    } catch {
      form.submit();
    }
  });
})();
