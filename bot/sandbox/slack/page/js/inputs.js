// Elements that are typed into: text, numbers, addresses, dates and times, rich text, files.

import { el } from "./dom.js";
import { plainEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { upload } from "./api.js";
import { emit, botRoom } from "./state.js";
import { size } from "./time.js";
import { choose, standing } from "./choices.js";

const textOf = (text) => plainEmoji(text?.text);

function typed(element, place, node, initial, read) {
  const value = standing(element, place, initial);
  node.value = read ? read(value) : (value.value ?? "");
  node.id = `in-${place.blockId}-${element.action_id}`.replace(/\W/g, "-");
  node.dataset.action = element.action_id || "";
  if (element.placeholder) node.placeholder = textOf(element.placeholder);
  if (place.labelledBy) node.setAttribute("aria-labelledby", place.labelledBy);
  if (place.describedBy) node.setAttribute("aria-describedby", place.describedBy);
  if (element.focus_on_load) node.setAttribute("autofocus", "");
  return node;
}

function textLike(element, place, node) {
  typed(element, place, node, { type: element.type, value: element.initial_value ?? null });
  const current = () => ({ type: element.type, value: node.value === "" ? null : node.value });
  const when = element.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  node.addEventListener("input", () => {
    place.surface.put(place.blockId, element.action_id, current());
    if (place.dispatch && when.includes("on_character_entered")) choose(element, place, current(), null);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || node.tagName === "TEXTAREA") return;
    event.preventDefault();
    if (!place.input || (place.dispatch && when.includes("on_enter_pressed"))) choose(element, place, current(), null);
    else emit("submit-view");
  });
  if (element.max_length) node.maxLength = element.max_length;
  return element.max_length && element.type === "plain_text_input" ? counted(node, element.max_length) : node;
}

function counted(node, most) {
  const left = el("span.counter", { "aria-hidden": "true" });
  const draw = () => {
    const rest = most - node.value.length;
    left.textContent = rest <= Math.max(20, most / 10) ? String(rest) : "";
  };
  node.addEventListener("input", draw);
  draw();
  return el("span.counted", {}, node, left);
}

function plainText(element, place) {
  const node = element.multiline ? el("textarea.field.multiline", { rows: 4 }) : el("input.field", { type: "text", autocomplete: "off" });
  return textLike(element, place, node);
}

const line = (type, mode) => (element, place) =>
  textLike(element, place, el("input.field", { type: "text", inputmode: mode, autocomplete: "off", data: { kind: type } }));

function dated(inputType, read, write, glyph) {
  return (element, place) => {
    const node = el("input.field.dated", { type: inputType });
    typed(element, place, node, write(initialOf(element)), read);
    node.addEventListener("change", () => choose(element, place, write(node.value || null, element), node, () => (node.value = "")));
    if (!node.getAttribute("aria-labelledby")) node.setAttribute("aria-label", textOf(element.placeholder) || "Date");
    return el("span.dated-box", {}, icon(glyph), node);
  };
}

const initialOf = (element) => element.initial_date ?? element.initial_time ?? (element.initial_date_time ? localMinute(element.initial_date_time) : null);

function localMinute(seconds) {
  if (!seconds) return "";
  const day = new Date(seconds * 1000);
  return new Date(day.getTime() - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const secondsOf = (text) => (text ? Math.floor(new Date(text).getTime() / 1000) : null);

function richTextInput(element, place) {
  const initial = element.initial_value?.type === "rich_text" ? element.initial_value : null;
  const flat = (rich) => (rich?.elements || []).map((part) => (part.elements || []).map((one) => one.text || "").join("")).join("\n");
  const node = el("textarea.field.multiline", { rows: 4 });
  typed(element, place, node, { type: "rich_text_input", rich_text_value: initial }, (value) => flat(value.rich_text_value));
  node.addEventListener("input", () => place.surface.put(place.blockId, element.action_id, { type: "rich_text_input", rich_text_value: richOf(node.value) }));
  return node;
}

const richOf = (text) => text === "" ? null
  : { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] };

function fileInput(element, place) {
  let files = standing(element, place, { type: "file_input", files: [] }).files;
  const most = element.max_files || 10;
  const kinds = (element.filetypes || []).map((kind) => `.${kind}`).join(",");
  const chooser = el("input.sr-only", { type: "file", multiple: most > 1, accept: kinds || null, "aria-labelledby": place.labelledBy || null });
  const list = el("ul.file-list");
  const keep = (next) => {
    files = next.slice(0, most);
    place.surface.put(place.blockId, element.action_id, { type: "file_input", files });
    list.replaceChildren(...files.map((file) => el("li", {}, icon("file"), el("span", {}, file.name), el("small", {}, size(file.size)),
      el("button.icon-button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => keep(files.filter((one) => one !== file)) }, icon("close")))));
  };
  chooser.addEventListener("change", async () => {
    for (const file of [...chooser.files].slice(0, most - files.length)) {
      const answer = await upload(file, { channel: botRoom()?.id || "" });
      if (answer.ok) keep([...files, answer.file]);
      else emit("toast", answer.message, "danger");
    }
    chooser.value = "";
  });
  keep(files);
  return el("div.file-input", {}, el("label.button", {}, icon("plus"), most > 1 ? "Add files" : "Add a file", chooser), kinds && el("small", {}, kinds.replace(/,/g, " ")), list);
}

export const INPUTS = {
  plain_text_input: plainText,
  email_text_input: line("email", "email"),
  url_text_input: line("url", "url"),
  number_input: line("number", "decimal"),
  datepicker: dated("date", (value) => value.selected_date ?? "", (given) => ({ type: "datepicker", selected_date: given }), "calendar"),
  timepicker: dated("time", (value) => value.selected_time ?? "", (given, element) => ({
    type: "timepicker", selected_time: given, ...(element?.timezone ? { timezone: element.timezone } : {}),
  }), "clock"),
  datetimepicker: dated("datetime-local", (value) => localMinute(value.selected_date_time),
    (given) => ({ type: "datetimepicker", selected_date_time: secondsOf(given) }), "calendar"),
  rich_text_input: richTextInput,
  file_input: fileInput,
};
