"use strict";
// Draws the charts, leads from a dot to its evidence, and from a word to its meaning.
(() => {
  const ink = "currentColor";
  const faint = "#7f7f7f33";
  const config = {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: ink, titleColor: ink, gridColor: faint, domainColor: faint, tickColor: faint,
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, symbolSize: 80 },
    title: { color: ink },
    text: { fill: ink },
  };

  const follow = (_event, item) => {
    const link = item && item.datum && item.datum.link;
    if (link && document.getElementById("evidence")) {
      location.hash = link;
    }
  };

  const keep = async (spec, name) => {
    const link = document.createElement("a");
    // A chart that leaves the page takes its legend along; on paper there is no text colour to take over.
    const holder = document.createElement("div");
    holder.className = "unseen";
    holder.style.width = "640px";
    document.body.append(holder);
    const { view } = await vegaEmbed(holder, spec, { renderer: "svg", actions: false, config });
    const drawn = (await view.toSVG()).replaceAll(ink, "black");
    view.finalize();
    holder.remove();
    link.href = URL.createObjectURL(new Blob([drawn], { type: "image/svg+xml" }));
    link.download = `${name}.svg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const drawn = new Set();
  const draw = async (place) => {
    if (drawn.has(place)) {
      return;
    }
    drawn.add(place);
    const text = place.nextElementSibling.textContent;
    const spec = JSON.parse(text);
    // The legend stands once above the charts that share it.
    const shown = "legend" in place.dataset ? JSON.parse(text, (key, value) => (key === "legend" ? null : value)) : spec;
    const { view } = await vegaEmbed(place, shown, { renderer: "svg", actions: false, config });
    view.addEventListener("click", follow);
    const save = place.closest("figure").querySelector("button");
    save.hidden = false;
    save.addEventListener("click", () => keep(spec, save.dataset.name));
  };

  const places = [...document.querySelectorAll("[data-chart]")];
  // All charts are drawn at once, top first, so that a screenshot or a print of the page has them.
  const drawAll = async () => {
    for (const place of places.filter((one) => !one.closest("details:not([open])"))) {
      await draw(place);
      await new Promise((go) => setTimeout(go));
    }
    document.documentElement.dataset.drawn = "yes";
  };
  drawAll();
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", () => {
    if (one.open) {
      one.querySelectorAll("[data-chart]").forEach(draw);
    }
  }));

  /** A word of the glossary is shown where a link leads to it. */
  const openWord = () => {
    const word = location.hash.startsWith("#word-") && document.getElementById(location.hash.slice(1));
    if (word) {
      word.closest("details").open = true;
      word.scrollIntoView({ block: "center" });
    }
  };
  addEventListener("hashchange", openWord);
  openWord();

  addEventListener("beforeprint", () => {
    places.filter((one) => !one.closest("details:not([open])")).forEach(draw);
  });
})();
