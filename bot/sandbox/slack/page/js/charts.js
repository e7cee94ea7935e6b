// data_visualization: line, bar, area and pie, drawn as SVG, with a legend and the value under the pointer.

import { el, svg } from "./dom.js";

const WIDTH = 560;
const HEIGHT = 250;
const EDGE = { left: 52, right: 14, top: 12, bottom: 42 };
const SPAN = { x: WIDTH - EDGE.left - EDGE.right, y: HEIGHT - EDGE.top - EDGE.bottom };

export function visualization(block) {
  const chart = block.chart || {};
  const drawn = chart.type === "pie" ? pie(chart) : plot(chart);
  return el("figure.block.chart", {}, block.title && el("figcaption.chart-title", {}, block.title), drawn);
}

const number = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

function plot(chart) {
  const series = (chart.series || []).slice(0, 6);
  const labels = chart.axis_config?.categories?.length ? chart.axis_config.categories : [...new Set(series.flatMap((one) => (one.data || []).map((point) => point.label)))];
  const valueAt = (one, label) => (one.data || []).find((point) => point.label === label)?.value;
  const rows = series.map((one) => labels.map((label) => (Number.isFinite(valueAt(one, label)) ? valueAt(one, label) : null)));
  if (!labels.length) return el("p.chart-empty", {}, "No values to draw.");
  const scale = scaleOf(rows.flat().filter((value) => value !== null), chart.type !== "line");
  const x = (index) => EDGE.left + (chart.type === "bar" ? (index + 0.5) / labels.length : labels.length === 1 ? 0.5 : index / (labels.length - 1)) * SPAN.x;
  const y = (value) => EDGE.top + SPAN.y * (1 - (value - scale.low) / (scale.high - scale.low));
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": spoken(chart, series, labels, rows) });
  picture.append(axes(scale, labels, chart.axis_config || {}, x, y));
  rows.forEach((row, index) => picture.append(MARKS[chart.type === "bar" || chart.type === "area" ? chart.type : "line"](row, index, { x, y, count: rows.length, labels, scale })));
  return hoverable(picture, series, labels, rows, x);
}

function scaleOf(values, fromZero) {
  let low = Math.min(...values, ...(fromZero || !values.length ? [0] : []));
  let high = Math.max(...values, ...(fromZero || !values.length ? [0] : []));
  if (!Number.isFinite(low) || low === high) [low, high] = [Math.min(0, low || 0), (high || 0) + (high ? Math.abs(high) : 1)];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step, step };
}

function axes(scale, labels, config, x, y) {
  const group = svg("g", { class: "axes" });
  for (let value = scale.low; value <= scale.high + scale.step / 2; value += scale.step) {
    group.append(svg("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(value), y2: y(value), class: Math.abs(value) < scale.step / 1e6 ? "zero" : "" }),
      svg("text", { x: EDGE.left - 8, y: y(value) + 4, class: "tick-y" }, short.format(Math.abs(value) < scale.step / 1e6 ? 0 : value)));
  }
  const every = Math.max(1, Math.ceil(labels.length / 8));
  labels.forEach((label, index) => {
    if (index % every === 0) group.append(svg("text", { x: x(index), y: HEIGHT - EDGE.bottom + 17, class: "tick-x" }, clipped(label, Math.floor(76 / Math.min(labels.length, 8)))));
  });
  if (config.x_label) group.append(svg("text", { x: EDGE.left + SPAN.x / 2, y: HEIGHT - 5, class: "axis-name tick-x" }, config.x_label));
  if (config.y_label) group.append(svg("text", { transform: `translate(11 ${EDGE.top + SPAN.y / 2}) rotate(-90)`, class: "axis-name tick-x" }, config.y_label));
  return group;
}

const clipped = (text, most) => (String(text).length > most ? `${String(text).slice(0, Math.max(1, most - 1))}…` : String(text));

/** Neighbouring values that are there; a gap breaks the line. */
function runsOf(row) {
  const runs = [[]];
  row.forEach((value, index) => (value === null ? runs.push([]) : runs.at(-1).push(index)));
  return runs.filter((run) => run.length);
}

const pathOf = (run, row, { x, y }) => run.map((index, at) => `${at ? "L" : "M"}${x(index).toFixed(1)} ${y(row[index]).toFixed(1)}`).join("");

function lines(row, index, space) {
  const group = svg("g", { class: `series series-${index}` });
  for (const run of runsOf(row)) {
    group.append(svg("path", { d: pathOf(run, row, space), class: "stroke" }));
    if (space.labels.length <= 24 || run.length === 1) run.forEach((at) => group.append(svg("circle", { cx: space.x(at), cy: space.y(row[at]), r: 3 })));
  }
  return group;
}

function areas(row, index, space) {
  const group = lines(row, index, space);
  const base = space.y(Math.max(0, space.scale.low));
  for (const run of runsOf(row)) {
    group.prepend(svg("path", { d: `${pathOf(run, row, space)}L${space.x(run.at(-1))} ${base}L${space.x(run[0])} ${base}Z`, class: "area" }));
  }
  return group;
}

function bars(row, index, { x, y, count, labels }) {
  const wide = Math.min(44, (SPAN.x / labels.length) * 0.72 / count);
  return svg("g", { class: `series series-${index}` }, row.map((value, at) => value !== null && svg("rect", {
    x: x(at) + (index - count / 2) * wide + 1, width: Math.max(1, wide - 2), y: Math.min(y(value), y(0)), height: Math.max(1, Math.abs(y(0) - y(value))), rx: 2,
  })));
}

const MARKS = { line: lines, area: areas, bar: bars };

function hoverable(picture, series, labels, rows, x) {
  const guide = svg("line", { class: "guide", y1: EDGE.top, y2: EDGE.top + SPAN.y });
  picture.append(guide);
  const tip = el("div.chart-tip", { hidden: true });
  const box = el("div.chart-box", {}, picture, tip);
  picture.addEventListener("pointermove", (event) => {
    const at = ((event.clientX - picture.getBoundingClientRect().left) / picture.clientWidth) * WIDTH;
    const nearest = labels.reduce((best, _, index) => (Math.abs(x(index) - at) < Math.abs(x(best) - at) ? index : best), 0);
    guide.setAttribute("x1", x(nearest));
    guide.setAttribute("x2", x(nearest));
    guide.classList.add("is-shown");
    tip.replaceChildren(el("strong", {}, labels[nearest]), ...series.map((one, index) => el("div", {}, dot(index), `${one.name}: ${rows[index][nearest] === null ? "–" : number.format(rows[index][nearest])}`)));
    tip.hidden = false;
    const left = (x(nearest) / WIDTH) * picture.clientWidth;
    tip.style.left = `${Math.max(4, Math.min(left + 12, picture.clientWidth - tip.offsetWidth - 4))}px`;
  });
  picture.addEventListener("pointerleave", () => {
    tip.hidden = true;
    guide.classList.remove("is-shown");
  });
  return [box, legend(series.map((one) => one.name))];
}

const dot = (index) => el(`span.legend-dot.series-${index}`, { "aria-hidden": "true" });
const legend = (names) => el("div.legend", {}, names.map((name, index) => el("span", {}, dot(index), name)));

function pie(chart) {
  const parts = (chart.segments || []).filter((part) => part.value > 0);
  const whole = parts.reduce((sum, part) => sum + part.value, 0);
  if (!whole) return el("p.chart-empty", {}, "No values to draw.");
  const picture = svg("svg", { viewBox: "0 0 200 200", class: "pie", role: "img", "aria-label": `Pie chart: ${parts.map((part) => `${part.label} ${number.format(part.value)}`).join(", ")}` });
  let turn = 0;
  parts.forEach((part, index) => {
    const share = part.value / whole;
    picture.append(slice(turn, share, index, `${part.label}: ${number.format(part.value)} (${Math.round(share * 100)} %)`));
    turn += share;
  });
  const names = parts.map((part, index) => el("span", {}, dot(index % 8), part.label, el("b", {}, number.format(part.value)), el("small", {}, `${((part.value / whole) * 100).toFixed(1)} %`)));
  return el("div.pie-box", {}, picture, el("div.legend.is-tall", {}, names));
}

function slice(turn, share, index, title) {
  const point = (at, radius) => [100 + radius * Math.sin(at * 2 * Math.PI), 100 - radius * Math.cos(at * 2 * Math.PI)].map((one) => one.toFixed(2)).join(" ");
  const end = turn + Math.min(share, 0.9999);
  const large = share > 0.5 ? 1 : 0;
  const d = `M${point(turn, 92)}A92 92 0 ${large} 1 ${point(end, 92)}L${point(end, 52)}A52 52 0 ${large} 0 ${point(turn, 52)}Z`;
  return svg("path", { d, class: `slice series-${index % 8}` }, svg("title", {}, title));
}

function spoken(chart, series, labels, rows) {
  const ends = series.map((one, index) => `${one.name} from ${rows[index][0] ?? "nothing"} to ${rows[index].at(-1) ?? "nothing"}`);
  return `${chart.type} chart over ${labels.length} points: ${ends.join("; ")}`;
}
