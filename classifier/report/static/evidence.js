"use strict";
// The evidence browser: filters, sorts and pages over the rows; text is only ever set as text.
// Nothing is read or laid out before someone asks for it.
(() => {
  const holder = document.getElementById("evidence-data");
  const opener = document.getElementById("open-evidence");
  if (!holder) {
    return;
  }
  const begin = () => {
  opener.parentElement.remove();
  document.getElementById("browser").hidden = false;
  const data = JSON.parse(holder.textContent);
  const form = document.getElementById("filters");
  const list = document.getElementById("rows");
  const PAGE = 20;
  const AROUND = 320;
  const NONE = "(none)";
  const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;

  // small tools

  /** Characters that hide, or turn the direction of what follows, shown by their number. */
  const visible = (text) => String(text).replace(UNSEEN,
    (one) => `[U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

  const element = (tag, className, ...children) => {
    const made = document.createElement(tag);
    if (className) {
      made.className = className;
    }
    for (const child of children) {
      made.append(typeof child === "string" ? document.createTextNode(visible(child)) : child);
    }
    return made;
  };

  /** For names: nobody reads more of a name than this. */
  const brief = (text) => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

  const signed = (value, digits) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

  const valueOf = (column, row) => (column.codes[row] < 0 ? null : column.values[column.codes[row]]);

  const predictedNames = (variable, row) => {
    const label = data.predicted[variable.name].labels[row];
    if (label === null || label === undefined) {
      return null;
    }
    return Array.isArray(label) ? label.map((place) => variable.labels[place]) : variable.labels[label];
  };

  /** Probability of the label; of the least certain label of a set. */
  const confidence = (variable, row) => {
    const p = data.predicted[variable.name].p[row];
    if (!p) {
      return null;
    }
    return variable.kind === "set" ? Math.min(...p.map((one) => Math.max(one, 1 - one))) : Math.max(...p);
  };

  // what can be filtered and sorted

  const filters = [
    ...Object.entries(data.facets).filter(([, column]) => column.values.length).map(([name, column]) => ({
      name,
      options: column.values,
      test: (row, wanted) => valueOf(column, row) === wanted,
    })),
    ...data.variables.map((variable) => ({
      name: variable.name,
      options: variable.kind === "set" ? [...variable.labels, NONE] : variable.labels,
      test: (row, wanted) => {
        const names = predictedNames(variable, row);
        if (Array.isArray(names)) {
          return wanted === NONE ? names.length === 0 : names.includes(wanted);
        }
        return names === wanted;
      },
    })),
  ];
  if (data.status.values.length > 1) {
    filters.push({ name: "status", options: data.status.values, test: (row, wanted) => valueOf(data.status, row) === wanted });
  }
  const differs = (row) => data.variables.some((one) => data.distance[one.name][row] > 0);
  if (data.humans.some(Boolean)) {
    filters.push({
      name: "annotated",
      options: ["yes", "yes, and the model differs", "no"],
      test: (row, wanted) => (wanted === "no" ? !data.humans[row] : Boolean(data.humans[row]) && (wanted === "yes" || differs(row))),
    });
  }

  const sorts = [];
  if (data.pull.some((one) => one !== null)) {
    sorts.push({ name: "pull on the estimate, strongest first", key: (row) => (data.pull[row] === null ? -1 : Math.abs(data.pull[row])), down: true });
  }
  for (const variable of data.variables) {
    const sure = Array.from({ length: data.n }, (_, row) => confidence(variable, row));
    const known = sure.map((one) => (one === null ? 2 : one));
    sorts.push({ name: `least sure of ${variable.name} first`, key: (row) => known[row], down: false });
    sorts.push({ name: `surest of ${variable.name} first`, key: (row) => sure[row] ?? -1, down: true });
    if (data.distance[variable.name].some((one) => one !== null)) {
      sorts.push({ name: `disagreement on ${variable.name}, largest first`, key: (row) => data.distance[variable.name][row] ?? -1, down: true });
    }
  }
  sorts.push({ name: "as they stand in the articles", key: (row) => row, down: false });

  // the form

  const addField = (name, label, field) => {
    field.name = name;
    field.id = `field-${name}`;
    const title = element("label", "", label);
    title.htmlFor = field.id;
    document.getElementById("fields").append(element("div", "field", title, field));
  };

  const titleOf = (name, value) => (name === "target" ? data.titles[value] || value : value);

  const option = (value, text) => {
    const made = element("option", "", brief(text));
    made.value = value;
    return made;
  };

  const choice = (options, all, name) => {
    const field = document.createElement("select");
    if (all) {
      field.append(option("", all));
    }
    options.forEach((one) => field.append(option(one, titleOf(name, one))));
    return field;
  };

  filters.forEach((one) => addField(one.name, one.name, choice(one.options, "all", one.name)));
  const search = document.createElement("input");
  search.type = "search";
  search.maxLength = 200;
  addField("text", "passage contains", search);
  addField("sort", "sort by", choice(sorts.map((one) => one.name), ""));

  // state

  let shown = [];
  let page = 0;

  const chosen = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value));

  const select = () => {
    const wanted = chosen();
    const active = filters.filter((one) => wanted[one.name] !== undefined);
    const needle = (wanted.text || "").toLowerCase();
    const holds = new Map();
    const containsText = (row) => {
      const place = data.excerpts.text[row];
      if (!holds.has(place)) {
        const text = place < 0 ? String(data.excerpts.mention[row]) : data.excerpts.texts[place];
        const found = text.toLowerCase().includes(needle);
        if (place < 0) {
          return found;
        }
        holds.set(place, found);
      }
      return holds.get(place);
    };
    shown = [];
    for (let row = 0; row < data.n; row += 1) {
      if (active.every((one) => one.test(row, wanted[one.name])) && (!needle || containsText(row))) {
        shown.push(row);
      }
    }
    const sort = sorts.find((one) => one.name === wanted.sort) || sorts[0];
    const keys = new Float64Array(data.n);
    shown.forEach((row) => { keys[row] = sort.key(row); });
    shown.sort((a, b) => (sort.down ? keys[b] - keys[a] : keys[a] - keys[b]) || a - b);
  };

  /** The address remembers the filters, so that a view can be passed on. */
  const remember = () => {
    const wanted = chosen();
    if (wanted.sort === sorts[0].name) {
      delete wanted.sort;
    }
    const query = new URLSearchParams(wanted).toString();
    history.replaceState(null, "", query ? `#evidence?${query}` : "#evidence");
  };

  const recall = () => {
    if (!location.hash.startsWith("#evidence?")) {
      return false;
    }
    const wanted = new URLSearchParams(location.hash.slice("#evidence?".length));
    for (const field of form.querySelectorAll("select, input")) {
      const value = wanted.get(field.name);
      const isKnown = field.tagName === "INPUT" || [...field.options].some((one) => one.value === value);
      field.value = value !== null && isKnown ? value : field.tagName === "INPUT" || field.name !== "sort" ? "" : sorts[0].name;
    }
    return true;
  };

  // drawing

  /** Cuts a text at marks that may nest or touch; each piece gets the classes of its marks. */
  const marked = (text, from, to, marks) => {
    const edges = new Set([from, to]);
    marks.forEach(([start, end]) => { edges.add(Math.max(from, Math.min(to, start))); edges.add(Math.max(from, Math.min(to, end))); });
    const ordered = [...edges].sort((a, b) => a - b);
    const pieces = [];
    for (let i = 0; i + 1 < ordered.length; i += 1) {
      const [start, end] = [ordered[i], ordered[i + 1]];
      const names = marks.filter(([a, b]) => a <= start && end <= b).map((one) => one[2]);
      const piece = text.slice(start, end).replace(/\s*\n\s*/gu, "\n");
      const made = names.length ? element(names.includes("mention") ? "mark" : "span", names.join(" "), piece) : visible(piece);
      const weight = marks.find(([a, b, , share]) => share !== undefined && a <= start && end <= b);
      if (weight) {
        made.style.setProperty("--depth", `${Math.round(8 + 42 * weight[3])}%`);
      }
      pieces.push(made);
    }
    return pieces;
  };

  const isLow = (code) => code >= 0xdc00 && code <= 0xdfff;
  const isBreak = (character) => /\s/u.test(character);

  /** Moves a cut to a place between words, if there is one near. */
  const atWord = (text, place, step) => {
    for (let i = place; i > 0 && i < text.length && Math.abs(i - place) < 40; i += step) {
      if (isBreak(text[i])) {
        return i;
      }
    }
    return isLow(text.charCodeAt(place)) ? place - 1 : place;
  };

  const passage = (row) => {
    const { texts, text, mention, speaker_at: speakerAt, cue_at: cueAt } = data.excerpts;
    const quote = element("blockquote", "passage");
    quote.dir = "auto";
    if (text[row] < 0) {
      quote.append(element("mark", "mention", String(mention[row])), " ", element("span", "quiet", "(the text is not here)"));
      return quote;
    }
    const whole = texts[text[row]];
    const marks = [[...mention[row], "mention"]];
    if (speakerAt[row]) {
      marks.push([...speakerAt[row], "speaker"]);
    }
    if (cueAt[row]) {
      marks.push([...cueAt[row], "cue"]);
    }
    const words = data.excerpts.words[row] || [];
    const strongest = Math.max(...words.map((one) => Math.abs(one[2])));
    words.forEach(([start, end, weight]) => {
      marks.push([start, end, weight > 0 ? "up" : "down", Math.abs(weight) / strongest]);
    });
    const from = mention[row][0] > AROUND * 1.4 ? atWord(whole, mention[row][0] - AROUND, 1) : 0;
    const after = mention[row][1] + AROUND;
    let to = whole.length > after * 1.1 ? atWord(whole, after, -1) : whole.length;
    while (to > mention[row][1] && isBreak(whole[to - 1])) {
      to -= 1;
    }
    const fill = (start, end) => quote.replaceChildren(...marked(whole, start, end, marks));
    fill(from, to);
    if (from > 0 || to < whole.trimEnd().length) {
      const more = element("button", "more", "whole passage");
      more.type = "button";
      more.addEventListener("click", () => { fill(0, whole.length); quote.tabIndex = -1; quote.focus(); });
      if (from > 0) {
        quote.prepend("… ");
      }
      quote.append(to < whole.trimEnd().length ? " … " : " ", more);
    }
    return quote;
  };

  /** The place of an ordinal label decides its look: low, middle or high. */
  const chip = (variable, name, share) => {
    const place = variable.labels.indexOf(name);
    const half = (variable.labels.length - 1) / 2;
    const look = variable.kind !== "ordinal" ? "plain" : place < half ? "low" : place > half ? "high" : "middle";
    const sign = { low: "▼ ", high: "▲ ", middle: "● ", plain: "" }[look];
    const made = element("span", `chip ${look}`, sign + name);
    if (share !== undefined) {
      made.append(element("span", "share", ` ${Math.round(100 * share)} %`));
    }
    return made;
  };

  const chips = (variable, names, row) => {
    const p = row === undefined ? null : data.predicted[variable.name].p[row];
    const share = (name) => (p ? p[variable.labels.indexOf(name)] : undefined);
    if (names === null || names === undefined) {
      return [element("span", "quiet", "not coded")];
    }
    const several = Array.isArray(names) ? names : [names];
    return several.length ? several.map((name) => chip(variable, name, share(name))) : [element("span", "quiet", "none")];
  };

  /** The score of an ordinal variable with the chances of the labels that the model did not give. */
  const chances = (variable, row) => {
    const p = row === undefined || variable.kind !== "ordinal" ? null : data.predicted[variable.name].p[row];
    const score = p && data.score[variable.name] ? data.score[variable.name][row] : null;
    if (!p || score === null) {
      return [];
    }
    const given = data.predicted[variable.name].labels[row];
    const others = variable.labels.map((name, i) => `${name} ${Math.round(100 * p[i])} %`).filter((_, i) => i !== given);
    return [element("span", "share", ` ${others.join(", ")}; score ${signed(score, 2)}`)];
  };

  const line = (who, className, row, labelsOf) => {
    const cells = data.variables.map((variable) => {
      const made = element("td", "", ...chips(variable, labelsOf(variable), row), ...chances(variable, row));
      made.dataset.variable = variable.name;
      return made;
    });
    const head = element("th", "", who);
    head.scope = "row";
    return element("tr", className, head, ...cells);
  };

  const labels = (row) => {
    const head = element("tr", "", element("th", "", "labels by"));
    data.variables.forEach((variable) => head.append(element("th", "", variable.name)));
    head.querySelectorAll("th").forEach((one) => { one.scope = "col"; });
    const body = element("tbody", "", line("model", "model", row, (variable) => predictedNames(variable, row)));
    for (const [annotator, said, isNotTarget, comment] of data.humans[row] || []) {
      const made = line(brief(annotator), "human", undefined, (variable) => said[variable.name]);
      if (isNotTarget) {
        made.lastChild.append(" ", element("span", "quiet", "no mention of the target"));
      }
      if (comment) {
        made.lastChild.append(" ", element("span", "quiet", `“${brief(comment)}”`));
      }
      body.append(made);
    }
    return element("table", "labels", element("thead", "", head), body);
  };

  const notes = (row) => {
    const parts = [];
    const voice = data.facets.voice ? valueOf(data.facets.voice, row) : null;
    const speaker = data.excerpts.speaker[row];
    if (voice) {
      parts.push(element("span", "", "voice: ", element("strong", "", brief(voice)), speaker ? ", " : "", ...(speaker ? [element("span", "speaker", brief(speaker))] : [])));
    }
    if (data.pull[row] !== null) {
      parts.push(element("span", "", `pull ${signed(data.pull[row], 4)} on the mean, ${valueOf(data.pulls_at, row)}`));
    }
    for (const variable of data.variables) {
      const distance = data.distance[variable.name][row];
      if (distance > 0) {
        parts.push(element("span", "differs", `≠ ${variable.name}: disagreement ${distance.toFixed(2)}`));
      }
    }
    parts.push(...shaded(row));
    const status = valueOf(data.status, row);
    if (status !== "ok") {
      parts.push(element("span", "differs", `no score: ${brief(status)}`));
    }
    return element("p", "notes", ...parts);
  };

  /** What is shaded in the passage, in words. */
  const shaded = (row) => {
    const words = data.excerpts.words[row];
    if (!words || data.excerpts.text[row] < 0) {
      return [];
    }
    const text = data.excerpts.texts[data.excerpts.text[row]];
    const ranked = [...words].sort((a, b) => Math.abs(b[2]) - Math.abs(a[2])).slice(0, 5);
    const named = (wanted, sign) => ranked.filter((one) => wanted(one[2]))
      .map(([start, end, weight]) => `${sign} ${brief(text.slice(start, end))} ${signed(weight, 2)}`);
    const parts = [...named((weight) => weight > 0, "▲"), ...named((weight) => weight < 0, "▼")];
    return [element("span", "", `words that carry ${data.explained}: ${parts.join(", ")}`)];
  };

  const heading = (row) => {
    const [id, title, date, url] = data.articles.values[data.articles.codes[row]];
    const name = title ? element("bdi", "title", brief(title)) : element("bdi", "title", brief(id));
    const linked = url ? element("a", "", name) : name;
    if (url) {
      linked.href = url;
      linked.rel = "noreferrer";
    }
    const target = element("span", "target", brief(titleOf("target", (data.facets.target && valueOf(data.facets.target, row)) || "")));
    const source = element("bdi", "", brief((data.facets.source && valueOf(data.facets.source, row)) || "unknown source"));
    const language = (data.facets.language && valueOf(data.facets.language, row)) || "";
    return element("h3", "", target, " ", source, ` · ${[date, language].filter(Boolean).map(brief).join(" · ")} · `, linked);
  };

  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.max(0, Math.min(page, pages - 1));
    const first = page * PAGE;
    const rows = shown.slice(first, first + PAGE);
    list.start = first + 1;
    list.replaceChildren(...rows.map((row) => {
      const made = element("li", "", heading(row), passage(row), element("div", "said", labels(row), notes(row)));
      made.dataset.row = row;
      return made;
    }));
    const articles = new Set(shown.map((row) => data.articles.codes[row])).size;
    document.getElementById("count").textContent = shown.length
      ? `${shown.length} of ${data.n} mentions, in ${articles} articles`
      : `None of the ${data.n} mentions is like that.`;
    document.getElementById("page").textContent = `page ${page + 1} of ${pages}`;
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page + 1 >= pages;
  };

  const update = () => {
    page = 0;
    select();
    draw();
  };

  const turn = (by) => {
    page += by;
    draw();
    const title = document.getElementById("count");
    title.tabIndex = -1;
    title.focus();
    title.scrollIntoView({ block: "start" });
  };

  // download

  /** One cell: quoted; a text that a spreadsheet would run as a formula gets an apostrophe. */
  const csvCell = (value) => {
    if (value === null || value === undefined) {
      return "";
    }
    if (typeof value === "number") {
      return String(value);
    }
    const text = String(value);
    const safe = /^\s*[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  };

  const csvRow = (row) => {
    const [id, title, date] = data.articles.values[data.articles.codes[row]];
    const { texts, text, mention, speaker } = data.excerpts;
    const words = text[row] < 0 ? mention[row] : texts[text[row]].slice(...mention[row]);
    const cells = [id, title, date, words, speaker[row], text[row] < 0 ? null : texts[text[row]]];
    cells.push(...Object.values(data.facets).map((column) => valueOf(column, row)), valueOf(data.status, row), data.pull[row]);
    for (const variable of data.variables) {
      const names = predictedNames(variable, row);
      cells.push(Array.isArray(names) ? names.join(" ") : names, confidence(variable, row), data.distance[variable.name][row]);
    }
    return cells.map(csvCell).join(",");
  };

  const csv = () => {
    const head = ["article_id", "title", "date", "mention", "speaker", "passage", ...Object.keys(data.facets), "status", "pull"];
    data.variables.forEach(({ name }) => head.push(name, `${name}_confidence`, `${name}_disagreement`));
    return `${[head.map(csvCell).join(","), ...shown.map(csvRow)].join("\r\n")}\r\n`;
  };

  const download = () => {
    const link = document.createElement("a");
    // The mark in front makes spreadsheets read the file as UTF-8.
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" }));
    link.download = "evidence.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  // start

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => { update(); remember(); });
  search.addEventListener("input", () => { update(); });
  form.addEventListener("reset", () => setTimeout(() => { update(); remember(); }));
  document.getElementById("previous").addEventListener("click", () => turn(-1));
  document.getElementById("next").addEventListener("click", () => turn(1));
  document.getElementById("download").addEventListener("click", download);
  const followAddress = () => {
    if (recall()) {
      update();
      document.getElementById("evidence").scrollIntoView({ block: "start" });
    }
  };
  addEventListener("hashchange", followAddress);
  update();
  followAddress();
  };

  let isOpen = false;
  const open = () => {
    if (!isOpen) {
      isOpen = true;
      begin();
    }
  };
  opener.hidden = false;
  opener.addEventListener("click", open);
  const openByAddress = () => location.hash.startsWith("#evidence?") && open();
  addEventListener("hashchange", openByAddress);
  openByAddress();
})();
