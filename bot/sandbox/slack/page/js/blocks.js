// Block Kit blocks as nodes. Unknown kinds are named, never guessed.

import { el, link, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { elementNode } from "./elements.js";
import { textNodes } from "./mrkdwn.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { picture } from "./pictures.js";
import { dataTable, table } from "./tables.js";
import { visualization } from "./charts.js";
import { CARDS } from "./cards.js";
import { fileCard } from "./files.js";
import { state } from "./state.js";

/** @param {any[]} blocks  @param {import("./actions.js").Surface} surface  @returns {HTMLElement} */
export function blockList(blocks, surface) {
  return el("div.blocks", {}, (blocks || []).map((block) => blockNode(block, surface)));
}

export function blockNode(block, surface) {
  const make = MAKERS[block?.type];
  const node = make ? make(block, surface) : el("div.unknown", {}, `A block of kind “${block?.type}” cannot be shown here.`);
  node.dataset.block = block?.block_id || "";
  return node;
}

const placeOf = (block, surface, more = {}) => ({ surface, blockId: block.block_id, ...more });

function section(block, surface) {
  const text = el("div.section-text", {},
    block.text && el("div.prose", {}, textNodes(block.text)),
    block.fields && el("div.fields", {}, block.fields.map((field) => el("div.prose", {}, textNodes(field)))));
  const node = el("div.block.section", {}, text);
  if (block.accessory) {
    const beside = el("div.accessory", { class: `accessory-${block.accessory.type}` }, elementNode(block.accessory, placeOf(block, surface)));
    node.append(beside);
  }
  return node;
}

function context(block) {
  return el("div.block.context", {}, (block.elements || []).map((part) =>
    part.type === "image" ? picture(part, "icon") : el("span.prose", {}, textNodes(part))));
}

function actions(block, surface) {
  return el("div.block.actions", {}, (block.elements || []).map((element) => elementNode(element, placeOf(block, surface))));
}

function image(block) {
  return el("figure.block.image", {}, block.title && el("figcaption", {}, textNodes(block.title)), picture(block, "full"));
}

let inputs = 0;

function input(block, surface) {
  const id = `input-${(inputs += 1)}`;
  const error = surface.errors?.[block.block_id];
  const place = placeOf(block, surface, {
    input: true, dispatch: Boolean(block.dispatch_action), labelledBy: `${id}-label`, describedBy: error ? `${id}-error` : block.hint ? `${id}-hint` : null,
    label: block.label?.text,
  });
  const element = elementNode(block.element, place);
  if (error) element.querySelectorAll?.("input,textarea").forEach((field) => field.setAttribute("aria-invalid", "true"));
  return el("div.block.input", { class: error ? "has-error" : "" },
    el("label.input-label", { id: `${id}-label` }, textNodes(block.label), block.optional && el("span.optional", {}, " (optional)")),
    element,
    error && el("p.field-error", { id: `${id}-error`, role: "alert" }, icon("warning"), error),
    block.hint && el("p.hint", { id: `${id}-hint` }, textNodes(block.hint)));
}

function video(block) {
  const address = block.title_url || block.video_url;
  return el("div.block.video", {},
    el("span.video-play", { "aria-hidden": "true" }, icon("play")),
    el("div", {},
      el("div.video-title", {}, safeUrl(address) ? link(address, textNodes(block.title)) : textNodes(block.title)),
      block.description && el("div.prose", {}, textNodes(block.description)),
      el("small", {}, [block.author_name, block.provider_name, safeUrl(block.video_url) && new URL(block.video_url).hostname].filter(Boolean).join(" · "))));
}

function remoteFile(block) {
  const known = [...state.messages.values()].flatMap((found) => [...found.values()]).flatMap((message) => message.files || [])
    .find((file) => file.external_id === block.external_id || file.id === block.external_id);
  return el("div.block.file", {}, known ? fileCard(known) : el("span.file-chip", {}, icon("file"), block.external_id || "file"));
}

const MAKERS = {
  header: (block) => el("h3.block.header", {}, textNodes(block.text)),
  section, context, actions, image, input, video, file: remoteFile,
  divider: () => el("hr.block.divider"),
  rich_text: (block) => el("div.block.rich-text.prose", {}, richText(block.elements)),
  markdown: (block) => el("div.block.markdown.prose", {}, markdown(block.text)),
  table, data_table: dataTable, data_visualization: visualization,
  context_actions: (block, surface) => el("div.block.context-actions", {}, (block.elements || []).map((element) => elementNode(element, placeOf(block, surface)))),
  ...CARDS(blockNode),
};
