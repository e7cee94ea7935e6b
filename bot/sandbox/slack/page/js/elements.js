// Block elements that are pressed or ticked. Each takes (element, place) and gives a node; `place` is where it stands.

import { el, safeUrl } from "./dom.js";
import { choose, standing } from "./choices.js";
import { confirmed } from "./confirm.js";
import { icon, iconNames } from "./icons.js";
import { openMenu, toast } from "./layer.js";
import { textNodes } from "./mrkdwn.js";
import { plainEmoji } from "./emoji.js";
import { picture } from "./pictures.js";
import { INPUTS } from "./inputs.js";
import { SELECTS } from "./selects.js";

/**
 * @typedef {object} Place
 * @property {import("./actions.js").Surface} surface
 * @property {string} blockId
 * @property {boolean} [input]     inside an input block: kept for the submission
 * @property {boolean} [dispatch]  an input block that tells the app at once
 * @property {string} [labelledBy]
 */

/** @param {any} element  @param {Place} place */
export function elementNode(element, place) {
  const make = MAKERS[element?.type];
  return make ? make(element, place) : el("span.unknown", {}, `[${element?.type || "element"}]`);
}

function pressable(node, element, place) {
  node.dataset.press = place.surface.pressMark(place.blockId, element.action_id);
  node.dataset.action = element.action_id || "";
  if (place.surface.isPressing(place.blockId, element.action_id)) {
    node.classList.add("is-busy");
    node.setAttribute("aria-busy", "true");
  }
  return node;
}

async function pressAfterAsking(element, place, value, node) {
  if (await confirmed(element.confirm)) await place.surface.act(place.blockId, element.action_id, value, node);
}

const styleOf = (style) => (["primary", "danger"].includes(style) ? style : "");

function button(element, place) {
  const value = { type: "button", value: element.value };
  const node = element.url && safeUrl(element.url)
    ? el("a.button", { href: safeUrl(element.url), target: "_blank", rel: "noopener noreferrer", role: "button" })
    : el("button.button", { type: "button" });
  node.append(el("span.button-label", {}, textNodes(element.text)), element.url ? icon("external") : "", el("span.spinner", { "aria-hidden": "true" }));
  if (styleOf(element.style)) node.classList.add(element.style);
  if (element.accessibility_label) node.setAttribute("aria-label", element.accessibility_label);
  pressable(node, element, place);
  node.addEventListener("click", async (event) => {
    if (!element.confirm) return place.surface.act(place.blockId, element.action_id, value, node);
    event.preventDefault();
    if (!(await confirmed(element.confirm))) return;
    if (node.href) open(node.href, "_blank", "noopener");
    place.surface.act(place.blockId, element.action_id, value, node);
  });
  return node;
}

function workflowButton(element) {
  const node = el("button.button", { type: "button", class: styleOf(element.style) }, icon("bolt"), el("span", {}, textNodes(element.text)));
  node.addEventListener("click", () => toast("Workflows run in Slack itself; this workspace has none."));
  return node;
}

function overflow(element, place) {
  const node = el("button.icon-button.overflow", { type: "button", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false" },
    icon("more"), el("span.spinner", { "aria-hidden": "true" }));
  pressable(node, element, place);
  node.addEventListener("click", () => openMenu(node, (element.options || []).map((option) => ({
    label: [el("span", {}, textNodes(option.text)), option.description && el("small", {}, textNodes(option.description))],
    act: () => {
      const href = option.url && safeUrl(option.url);
      if (href) open(href, "_blank", "noopener");
      pressAfterAsking(element, place, { type: "overflow", selected_option: option }, node);
    },
  })), { align: "end" }));
  return node;
}

let groups = 0;

function ticks(kind, element, place) {
  const many = kind === "checkbox";
  const name = `ticks-${(groups += 1)}`;
  const initial = many
    ? { type: element.type, selected_options: element.initial_options || [] }
    : { type: element.type, selected_option: element.initial_option || null };
  let value = standing(element, place, initial);
  const chosen = (option) => (many ? value.selected_options.some((one) => one.value === option.value) : value.selected_option?.value === option.value);
  const node = el("div.ticks", { role: many ? "group" : "radiogroup", "aria-labelledby": place.labelledBy || null });
  const draw = () => node.querySelectorAll("input").forEach((input, index) => (input.checked = chosen(element.options[index])));
  for (const option of element.options || []) {
    const input = el("input", { type: kind, name, checked: chosen(option) });
    input.addEventListener("change", () => {
      const before = value;
      if (many) value = { ...value, selected_options: element.options.filter((one, index) => node.querySelectorAll("input")[index].checked) };
      else value = { ...value, selected_option: option };
      choose(element, place, value, node, () => { value = before; draw(); });
    });
    node.append(el("label.tick", {}, input, el("span.tick-text", {}, textNodes(option.text), option.description && el("small", {}, textNodes(option.description)))));
  }
  return pressable(node, element, place);
}

function feedbackButtons(element, place) {
  const one = (option, kind) => {
    const node = el(`button.icon-button.feedback.${kind}`, {
      type: "button", "aria-pressed": String(place.surface.value(place.blockId, element.action_id)?.value === option?.value),
      "aria-label": option?.accessibility_label || plainEmoji(option?.text?.text) || kind, title: plainEmoji(option?.text?.text) || kind,
    }, icon("thumb"));
    node.addEventListener("click", async () => {
      const value = { type: "feedback_buttons", value: option.value };
      place.surface.put(place.blockId, element.action_id, value);
      node.parentElement.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === node)));
      await place.surface.act(place.blockId, element.action_id, value, node);
    });
    return node;
  };
  return el("span.feedback-pair", {}, one(element.positive_button, "positive"), one(element.negative_button, "negative"));
}

function iconButton(element, place) {
  const label = plainEmoji(element.text?.text) || element.icon;
  const node = el("button.icon-button", { type: "button", "aria-label": element.accessibility_label || label, title: label },
    icon(iconNames.has(element.icon) ? element.icon : "spark"), el("span.spinner", { "aria-hidden": "true" }));
  pressable(node, element, place);
  node.addEventListener("click", () => pressAfterAsking(element, place, { type: "icon_button", value: element.value }, node));
  return node;
}

const MAKERS = {
  button, workflow_button: workflowButton, overflow,
  checkboxes: (element, place) => ticks("checkbox", element, place),
  radio_buttons: (element, place) => ticks("radio", element, place),
  feedback_buttons: feedbackButtons, icon_button: iconButton,
  image: (element) => picture(element, "thumb"),
  ...SELECTS, ...INPUTS,
};
