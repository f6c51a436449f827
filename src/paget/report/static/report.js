"use strict";
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const palettes = JSON.parse(document.getElementById("palettes").textContent);
  const darkScreen = window.matchMedia("(prefers-color-scheme: dark)");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* Figures hold the names of colours; a copy with the colours of one palette is what gets drawn. */
  function coloured(value, palette) {
    if (typeof value === "string") {
      return value.includes("var(--") ? value.replace(/var\((--[\w-]+)\)/g, (whole, name) => palette[name] ?? whole) : value;
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, palette));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, palette)]));
    }
    return value;
  }

  const hidden = new Map(); // figure -> set of arms that the reader has hidden

  function prepared(plot, palette) {
    const { data, layout } = coloured(plots[plot.id], palette);
    const away = hidden.get(plot.closest("figure")) ?? new Set();
    return { data: data.map((trace) => ({ ...trace, visible: !away.has(trace.legendgroup) })), layout };
  }

  const saveButton = {
    name: "svg",
    title: "Download this panel as SVG",
    icon: Plotly.Icons.camera,
    click: (plot) => savePanels([plot], plot.id),
  };
  const settings = {
    responsive: true,
    displaylogo: false,
    displayModeBar: true,
    modeBarButtons: [[saveButton, "zoom2d", "pan2d", "resetScale2d"]],
  };

  const unseen = (plot) => plot.closest("details:not([open])") !== null;

  /* What stands in a closed fold has no size yet; it is drawn when the fold opens. Readers are told the words of a panel
     (its label), not the pieces of its picture. */
  function draw(palette, fixed = false, some = all(".plot")) {
    return Promise.all(some.filter((plot) => !unseen(plot)).map((plot) => {
      const { data, layout } = prepared(plot, palette);
      if (fixed) Object.assign(layout, { autosize: false, width: plot.clientWidth, height: plot.clientHeight });
      return Plotly.react(plot, data, layout, settings).then(() => {
        plot.dataset.palette = palette === palettes.dark ? "dark" : "light";
        all(".main-svg", plot).forEach((picture) => picture.setAttribute("aria-hidden", "true"));
      });
    }));
  }

  const screenPalette = () => palettes[darkScreen.matches ? "dark" : "light"];

  /* ---- folds: which sections are closed stands in the address, so that a link or a reload keeps it ---- */
  const parts = all("details.section");
  const nameOf = (fold) => fold.parentElement.id;

  function address() {
    const [target, ...rest] = decodeURIComponent(location.hash.slice(1)).split(";");
    const folded = rest.find((part) => part.startsWith("folded="))?.slice(7).split(",") ?? [];
    return { target, folded };
  }
  function remember(target) {
    const closed = parts.filter((fold) => !fold.open).map(nameOf);
    const hash = `${target}${closed.length ? `;folded=${closed.join(",")}` : ""}`;
    history.replaceState(null, "", hash ? `#${hash}` : location.href.split("#")[0]);
  }
  function show(target) {
    const place = target && document.getElementById(target);
    if (!place) return;
    const inside = place.matches("section") ? place.querySelector("details.section") : null;
    for (let fold = inside ?? place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    place.scrollIntoView();
  }

  let printing = false;
  const first = address();
  parts.filter((fold) => first.folded.includes(nameOf(fold))).forEach((fold) => { fold.open = false; });
  draw(screenPalette()).then(() => {
    document.documentElement.setAttribute("data-drawn", String(all(".main-svg").length));
    show(first.target);
  });
  darkScreen.addEventListener("change", () => draw(screenPalette()));
  all("details").forEach((fold) => fold.addEventListener("toggle", () => {
    if (printing) return;
    if (fold.open) draw(screenPalette(), false, all(".plot", fold)).then(() => all(".plot", fold).forEach((plot) => Plotly.Plots.resize(plot)));
    if (fold.matches(".section")) remember(address().target);
  }));
  all('a[href^="#"]').forEach((link) => link.addEventListener("click", (event) => {
    const target = link.getAttribute("href").slice(1);
    if (!document.getElementById(target) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(target);
    remember(target);
    const place = document.getElementById(target);
    (place.querySelector("summary") ?? place).focus({ preventScroll: true });
  }));
  window.addEventListener("hashchange", () => {
    const { target, folded } = address();
    parts.forEach((fold) => { fold.open = !folded.includes(nameOf(fold)); });
    show(target);
  });
  all("[data-fold]").forEach((button) => button.addEventListener("click", () => {
    parts.forEach((fold) => { fold.open = button.dataset.fold === "open"; });
  }));

  /* Plots do not follow the paper by themselves: the page is set to its width, and they are drawn for it at once. */
  window.addEventListener("beforeprint", () => {
    printing = true;
    document.body.classList.add("printing");
    all("details:not([open])").forEach((fold) => { fold.open = true; fold.dataset.opened = "for print"; });
    draw(palettes.light, true);
  });
  window.addEventListener("afterprint", () => {
    document.body.classList.remove("printing");
    all("details[data-opened]").forEach((fold) => { fold.open = false; delete fold.dataset.opened; });
    draw(screenPalette());
    setTimeout(() => { printing = false; });
  });

  /* ---- arms ---- */
  all(".legend button").forEach((button) => button.addEventListener("click", () => {
    const figure = button.closest("figure");
    const away = hidden.get(figure) ?? new Set();
    hidden.set(figure, away);
    const arm = button.dataset.arm;
    if (!away.delete(arm)) away.add(arm);
    button.setAttribute("aria-pressed", String(!away.has(arm)));
    all(".plot", figure).filter((plot) => plot.data).forEach((plot) => Plotly.restyle(plot, { visible: plot.data.map((t) => !away.has(t.legendgroup)) }));
  }));

  /* ---- downloads ---- */
  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (rows) => "\ufeff" + rows.map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";

  /* The meta of a trace names what its x, y, text, hovertext and customdata are; its other entries are constant columns. */
  function figureRows(figure) {
    const records = [];
    all(".plot", figure).forEach((plot) => {
      const panel = plot.id.split("-").pop();
      plots[plot.id].data.filter((trace) => trace.meta).forEach((trace) => {
        const { x, y, text, hovertext, customdata, ...constant } = trace.meta;
        const length = (trace.x ?? trace.y).length;
        for (let i = 0; i < length; i += 1) {
          const record = { panel, ...constant };
          Object.entries({ x, y, text, hovertext, customdata }).forEach(([key, column]) => { if (column) record[column] = trace[key][i]; });
          records.push(record);
        }
      });
    });
    const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
    return [columns, ...records.map((record) => columns.map((column) => record[column]))];
  }

  /* The words of a cell, also of one in a closed fold, with spaces between its lines. */
  function wordsOf(cell) {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode.data);
    return found.join(" ").replace(/\s+/g, " ").trim();
  }

  function tableRows(table) {
    return all("tr", table).map((row) => [...row.cells].map((cell) => cell.dataset.value ?? wordsOf(cell)));
  }

  function recordRows(box) {
    const stored = box.querySelector("script");
    if (!stored) return null;
    const records = JSON.parse(stored.textContent);
    const columns = Object.keys(records[0]);
    return [columns, ...records.map((record) => columns.map((column) => record[column]))];
  }

  const boxRows = (box) => recordRows(box) ?? tableRows(box.querySelector("table"));

  /* Cells are stored as kind, x, y, z, radius, one after the other, in tenths of a micrometre. */
  function cellRows(figure) {
    const stored = figure.querySelector("script.cells");
    if (!stored) return null;
    const { animal, types, frames } = JSON.parse(stored.textContent);
    const rows = [["arm", "animal", "day", "type", "x_um", "y_um", "z_um", "radius_um"]];
    frames.forEach(({ arm, day, cells }) => {
      for (let i = 0; i < cells.length; i += 5) {
        rows.push([arm, animal, day, types[cells[i]], ...cells.slice(i + 1, i + 5).map((tenths) => tenths / 10)]);
      }
    });
    return rows;
  }

  const xml = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

  /* One picture of several panels: each is drawn anew in the light palette and set where it stands on the page. */
  async function savePanels(some, name) {
    const heads = some.map((plot) => plot.previousElementSibling.getBoundingClientRect());
    const left = Math.min(...heads.map((box) => box.left));
    const top = Math.min(...heads.map((box) => box.top));
    const font = 'font-family="Helvetica, Arial, sans-serif" fill="#17191c"';
    const parts = [];
    let right = 0;
    let bottom = 0;
    for (const [i, plot] of some.entries()) {
      const box = plot.getBoundingClientRect();
      const { data, layout } = prepared(plot, palettes.light);
      const address = await Plotly.toImage({ data, layout }, { format: "svg", width: box.width, height: box.height });
      const picture = decodeURIComponent(address.slice(address.indexOf(",") + 1));
      const x = box.left - left;
      const heading = plot.previousElementSibling;
      const letter = heading.querySelector(".letter").textContent;
      const unit = heading.querySelector(".unit")?.textContent ?? "";
      const about = heading.textContent.slice(letter.length, heading.textContent.length - unit.length).trim();
      const title = unit ? `${about} (${unit})` : about;
      parts.push(
        `<text x="${x}" y="${heads[i].top - top + 14}" ${font} font-size="16" font-weight="700">${xml(letter)}</text>` +
        `<text x="${x + 24}" y="${heads[i].top - top + 14}" ${font} font-size="13" font-weight="600">${xml(title)}</text>` +
        `<g transform="translate(${x} ${box.top - top})">${picture}</g>`,
      );
      right = Math.max(right, box.right - left);
      bottom = Math.max(bottom, box.bottom - top);
    }
    const shown = all('.legend button[aria-pressed="true"]', some[0].closest("figure"));
    let across = 0;
    let row = bottom + 24;
    shown.forEach((button) => {
      const arm = button.textContent;
      const width = 40 + 7 * arm.length;
      if (across > 0 && across + width > right) { across = 0; row += 20; }
      const colour = palettes.light[button.querySelector("line").style.stroke.slice(4, -1)];
      const dash = button.querySelector("line").getAttribute("stroke-dasharray");
      parts.push(
        `<line x1="${across}" x2="${across + 28}" y1="${row - 4}" y2="${row - 4}" stroke="${colour}" stroke-width="2.4" stroke-dasharray="${dash}"/>` +
        `<text x="${across + 34}" y="${row}" ${font} font-size="12">${xml(arm)}</text>`,
      );
      across += width + 12;
    });
    const height = shown.length ? row + 10 : bottom;
    save(`${name}.svg`, "image/svg+xml",
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 ${right} ${height}" ` +
      `width="${right}" height="${height}"><rect width="100%" height="100%" fill="#ffffff"/>${parts.join("")}</svg>`);
  }

  const downloads = {
    csv: (button) => { const figure = button.closest("figure"); save(`${figure.id}.csv`, "text/csv", csv(figureRows(figure))); },
    table: (button) => { const box = button.closest(".table"); save(`${box.dataset.name}.csv`, "text/csv", csv(boxRows(box))); },
    svg: (button) => { const figure = button.closest("figure"); savePanels(all(".plot", figure), figure.id); },
    data: (button) => { const figure = button.closest("figure"); save(`${figure.id}.csv`, "text/csv", csv(boxRows(figure.querySelector(".table[data-figure]")))); },
    cells: (button) => { const figure = button.closest("figure"); save(`${figure.id}.csv`, "text/csv", csv(cellRows(figure) ?? boxRows(figure.querySelector(".table[data-figure]")))); },
    tissue: (button) => saveTissue(button.closest("figure")),
    drawings: (button) => saveDrawings(button.closest("figure")),
  };
  const words = (x, y, text, rest = "", size = 13) =>
    `<text x="${x}" y="${y}" font-family="Helvetica, Arial, sans-serif" font-size="${size}" fill="#17191c"${rest}>${xml(text)}</text>`;
  const bold = ' font-weight="600"';
  const picture = (width, height, parts) =>
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ' +
    `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#ffffff"/>${parts.join("")}</svg>`;

  /* What the colours of a figure mean: dots, shades and dashes, in lines below each other. */
  function keyParts(figure, wide) {
    const parts = [];
    let [across, row] = [0, 16];
    all(".legend.still .key", figure).forEach((key) => {
      const width = 44 + 6.6 * key.textContent.length;
      if (across > 0 && across + width > wide) { across = 0; row += 20; }
      const mark = key.querySelector("i");
      if (mark?.matches(".ramp")) {
        const layer = mark.style.getPropertyValue("--layer");
        [0, 1, 2, 3, 4].forEach((step) => parts.push(
          `<rect x="${across + 6 * step}" y="${row - 10}" width="6" height="11" fill="${layer}" fill-opacity="${0.155 * step}"/>`));
      } else if (mark) {
        parts.push(`<circle cx="${across + 22}" cy="${row - 4.5}" r="5.5" fill="${coloured(mark.style.background, palettes.light)}"/>`);
      } else {
        const dash = key.querySelector("svg path")?.getAttribute("stroke-dasharray") || "none";
        parts.push(`<path d="M${across} ${row - 4} h28" stroke="#565d66" stroke-width="2.4" stroke-dasharray="${dash}" fill="none"/>`);
      }
      parts.push(words(across + 34, row, key.textContent, "", 12));
      across += width;
    });
    return { parts, height: parts.length ? row + 14 : 0 };
  }

  /* Drawings as they stand beside each other, with their headings and their key, in the colours of the light palette. */
  function saveDrawings(figure) {
    const some = all("svg.drawing", figure).filter((drawing) => drawing.getBoundingClientRect().width > 0);
    const boxes = some.map((drawing) => drawing.getBoundingClientRect());
    const heads = all(".body-arm h4", figure);
    const places = [...boxes, ...heads.map((head) => head.getBoundingClientRect())];
    const left = Math.min(...places.map((box) => box.left));
    const top = Math.min(...places.map((box) => box.top));
    const wide = Math.max(...places.map((box) => box.right)) - left;
    const day = figure.querySelector(".days output");
    const tab = figure.querySelector('[role="tab"][aria-selected="true"]');
    const title = day ? `${figure.querySelector(".days label").textContent} ${day.textContent}` : tab?.textContent;
    const key = keyParts(figure, wide);
    const above = key.height + (title ? 24 : 0);
    const parts = [...key.parts, ...(title ? [words(0, key.height + 15, title, bold)] : [])];
    heads.forEach((head) => {
      const box = head.getBoundingClientRect();
      const letter = head.querySelector(".letter").textContent;
      parts.push(words(box.left - left, box.top - top + above + 14, letter, ' font-weight="700"', 16),
        words(box.left - left + 24, box.top - top + above + 14, head.textContent.slice(letter.length).trim(), bold));
    });
    let bottom = 0;
    some.forEach((drawing, i) => {
      const copy = drawing.cloneNode(true);
      const place = { x: boxes[i].left - left, y: boxes[i].top - top + above, width: boxes[i].width, height: boxes[i].height };
      Object.entries(place).forEach(([name, value]) => copy.setAttribute(name, value));
      parts.push(coloured(new XMLSerializer().serializeToString(copy), palettes.light));
      bottom = Math.max(bottom, place.y + place.height);
    });
    save(`${figure.id}.svg`, "image/svg+xml", picture(wide, bottom, parts));
  }

  /* Tissue pictures as they stand in their rows and columns; the cells themselves are in the file of data. */
  function saveTissue(figure) {
    const grid = figure.querySelector(".tissue").getBoundingClientRect();
    const key = keyParts(figure, grid.width);
    const parts = [...key.parts];
    const at = (element) => {
      const box = element.getBoundingClientRect();
      return { x: box.left - grid.left, y: box.top - grid.top + key.height, width: box.width, height: box.height };
    };
    all(".tissue .day", figure).forEach((head) => {
      const place = at(head);
      parts.push(words(place.x + place.width / 2, place.y + 15, head.textContent, `${bold} text-anchor="middle"`));
    });
    all(".tissue .row-name", figure).forEach((name) => {
      const place = at(name);
      const lines = name.textContent.match(/.{1,18}(?=\s|$)|\S+/g) ?? [];
      lines.forEach((line, i) => parts.push(words(place.x, place.y + 28 + 16 * i, line.trim(), bold, 12)));
    });
    all(".tissue img", figure).forEach((image) => {
      const place = at(image);
      parts.push(`<image x="${place.x}" y="${place.y}" width="${place.width}" height="${place.height}" xlink:href="${image.src}"/>`);
    });
    save(`${figure.id}.svg`, "image/svg+xml", picture(grid.width, grid.height + key.height, parts));
  }

  all("[data-download]").forEach((button) => button.addEventListener("click", () => downloads[button.dataset.download](button)));

  /* ---- tables, tabs, pictures ---- */
  all(".sort").forEach((button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const rows = [...head.closest("table").tBodies[0].rows];
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    all("th[aria-sort]", head.closest("tr")).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const value = (row) => {
      const cell = row.cells[head.cellIndex];
      return cell.classList.contains("number") ? Number(cell.dataset.value ?? NaN) : wordsOf(cell);
    };
    rows.sort((one, two) => {
      const [a, b] = [value(one), value(two)];
      if (typeof a === "string") return direction * a.localeCompare(b);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return direction * (a - b);
    });
    head.closest("table").tBodies[0].append(...rows);
  }));

  all('[role="tablist"]').forEach((list) => {
    const tabs = all('[role="tab"]', list);
    const choose = (chosen) => tabs.forEach((tab) => {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    });
    tabs.forEach((tab, place) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(place + step + tabs.length) % tabs.length];
        choose(next);
        next.focus();
      });
    });
  });

  /* ---- the days of a body: each state holds the values of the parts that change ---- */
  all("script.states").forEach((store) => {
    const figure = store.closest("figure");
    const { days, unit, arms } = JSON.parse(store.textContent);
    const drawings = all("svg.body-map", figure).map((drawing) => [drawing, all("[data-part]", drawing)]);
    const [slider, day, play] = ["input", "output", ".play"].map((part) => figure.querySelector(`.days ${part}`));

    function change(part, value) {
      if (value === undefined) return;
      if (part.tagName === "text") part.textContent = value;
      else if (typeof value === "string") part.style.fill = value === "none" ? value : `var(${value})`;
      else if (part.hasAttribute("transform")) part.setAttribute("transform", part.getAttribute("transform").replace(/scale\(.*\)/, `scale(${value})`));
      else part.setAttribute("stroke-width", value);
    }
    function show(place) {
      drawings.forEach(([drawing, parts], i) => {
        const state = arms[i][place];
        drawing.setAttribute("aria-label", state.alt);
        parts.forEach((part) => change(part, state[part.dataset.part]));
      });
      day.textContent = days[place];
      slider.setAttribute("aria-valuetext", `${unit} ${days[place]}`);
    }
    let playing = null;
    function stop() {
      clearInterval(playing);
      playing = null;
      play.textContent = "▶";
      play.setAttribute("aria-label", "Play the days");
    }
    play.addEventListener("click", () => {
      if (playing) { stop(); return; }
      if (Number(slider.value) === days.length - 1) slider.value = 0;
      play.textContent = "⏸";
      play.setAttribute("aria-label", "Stop");
      show(Number(slider.value));
      playing = setInterval(() => {
        slider.value = Number(slider.value) + 1;
        show(Number(slider.value));
        if (Number(slider.value) === days.length - 1) stop();
      }, 350);
    });
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    slider.value = days.length - 1; // a browser may remember another day
    show(days.length - 1);
    figure.querySelector(".days").hidden = days.length < 2;
    window.addEventListener("beforeprint", () => show(days.length - 1));
    window.addEventListener("afterprint", () => show(Number(slider.value)));
  });

  const zoom = document.getElementById("zoom");
  all(".tile").forEach((tile) => tile.addEventListener("click", () => {
    const picture = tile.querySelector("img");
    zoom.querySelector("img").src = picture.src;
    zoom.querySelector("img").alt = picture.alt;
    zoom.querySelector("p").textContent = picture.alt;
    zoom.showModal();
  }));
  zoom.addEventListener("click", (event) => { if (event.target === zoom) zoom.close(); });
})();
