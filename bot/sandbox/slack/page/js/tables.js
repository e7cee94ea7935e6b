// table and data_table: cells of text, numbers and rich text; the second sorts and turns pages.

import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { plain, textNodes } from "./mrkdwn.js";
import { richText } from "./richtext.js";

function cellNodes(cell) {
  if (!cell) return [];
  if (cell.type === "rich_text") return richText(cell.elements);
  if (cell.type === "raw_number") return [cell.text ?? String(cell.value ?? "")];
  if (cell.type === "mrkdwn" || cell.type === "plain_text") return textNodes(cell);
  return plain(cell.text ?? "");
}

const isNumber = (cell) => cell?.type === "raw_number" || (cell?.text && /^[-+]?[\d,.]+\s?%?$/.test(cell.text.trim()));

export function table(block) {
  const settings = block.column_settings || [];
  const [head, ...rows] = block.rows || [];
  const cell = (tag) => (one, index) => el(tag, { class: `align-${settings[index]?.align || "left"} ${settings[index]?.is_wrapped ? "is-wrapped" : ""}` }, cellNodes(one));
  return el("div.block.table-scroll", { tabindex: "0", role: "region", "aria-label": "Table" },
    el("table.grid", {}, el("thead", {}, el("tr", {}, (head || []).map(cell("th")))), el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell("td")))))));
}

const plainOf = (cell) => {
  if (cell?.type === "raw_number") return Number(cell.value);
  const text = cell?.text ?? (cell?.elements || []).flatMap((part) => part.elements || []).map((one) => one.text || "").join("");
  const number = Number(text.replace(/[,%\s]/g, ""));
  return text && Number.isFinite(number) ? number : text.toLowerCase();
};

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

/** How a reader sorted and where they are survives redrawing while the message stays. */
const looks = new Map();

export function dataTable(block, surface) {
  const [head = [], ...rows] = block.rows || [];
  const key = `${surface.key} ${block.block_id}`;
  const look = looks.get(key) || { column: -1, down: false, page: 0 };
  looks.set(key, look);
  const perPage = Math.max(1, Math.min(100, block.page_size || 10));
  const body = el("tbody");
  const headers = head.map((cell, index) => el("th", { scope: "col", class: rows.some((row) => isNumber(row[index])) ? "align-right" : "" },
    el("button.sorter", { type: "button", onclick: () => sortBy(index) }, cellNodes(cell), icon("sort"))));
  const place = el("span.pager-place", { role: "status" });
  const turn = (label, glyph, step) => el("button.icon-button", { type: "button", "aria-label": label, onclick: () => { look.page += step; draw(); } }, icon(glyph));
  const [back, forth] = [turn("Previous page", "left", -1), turn("Next page", "right", 1)];
  const sortBy = (column) => {
    Object.assign(look, { down: look.column === column ? !look.down : false, column, page: 0 });
    draw();
  };
  const draw = () => {
    const sorted = look.column < 0 ? rows : [...rows].sort((one, other) => (look.down ? -1 : 1) * compare(plainOf(one[look.column]), plainOf(other[look.column])));
    const pages = Math.max(1, Math.ceil(sorted.length / perPage));
    look.page = Math.max(0, Math.min(look.page, pages - 1));
    const from = look.page * perPage;
    fill(body, sorted.slice(from, from + perPage).map((row) => rowNode(row, block.row_header_column_index)));
    headers.forEach((header, index) => header.setAttribute("aria-sort", index !== look.column ? "none" : look.down ? "descending" : "ascending"));
    place.textContent = rows.length ? `${from + 1}–${Math.min(from + perPage, rows.length)} of ${rows.length}` : "No rows";
    back.disabled = look.page === 0;
    forth.disabled = look.page >= pages - 1;
  };
  draw();
  return el("div.block.data-table", {},
    block.caption && el("div.data-caption", {}, block.caption),
    el("div.table-scroll", { tabindex: "0", role: "region", "aria-label": block.caption || "Table" }, el("table.grid", {}, el("thead", {}, el("tr", {}, headers)), body)),
    rows.length > perPage && el("div.pager", {}, place, back, forth));
}

const rowNode = (row, headerColumn) => el("tr", {}, row.map((cell, index) =>
  el(index === headerColumn ? "th" : "td", { class: isNumber(cell) ? "align-right" : "", scope: index === headerColumn ? "row" : null }, cellNodes(cell))));
