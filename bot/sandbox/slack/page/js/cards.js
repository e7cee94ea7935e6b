// The blocks of 2026 that look like cards: card, carousel, plan, task_card, alert, container.

import { el, link } from "./dom.js";
import { icon, iconNames } from "./icons.js";
import { elementNode } from "./elements.js";
import { textNodes } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { picture } from "./pictures.js";

function card(block, surface) {
  const place = { surface, blockId: block.block_id };
  const mark = block.icon ? picture(block.icon, "icon") : block.slack_icon ? icon(iconNames.has(block.slack_icon.name) ? block.slack_icon.name : "spark") : null;
  return el("article.block.card", {},
    block.hero_image && el("div.card-hero", {}, picture(block.hero_image, "hero")),
    el("div.card-head", {},
      mark && el("span.card-icon", {}, mark),
      el("div", {}, block.title && el("div.card-title.prose", {}, textNodes(block.title)), block.subtitle && el("div.card-subtitle.prose", {}, textNodes(block.subtitle)))),
    block.body && el("div.card-body.prose", {}, textNodes(block.body)),
    block.subtext && el("div.card-subtext.prose", {}, textNodes(block.subtext)),
    block.actions?.length && el("div.card-actions", {}, block.actions.map((element) => elementNode(element, place))));
}

function carousel(block, surface) {
  const track = el("div.carousel-track", { tabindex: "0", role: "group", "aria-label": "Cards" }, (block.elements || []).map((one) => card(one, surface)));
  const step = (direction) => track.scrollBy({ left: direction * 292, behavior: "smooth" });
  const back = el("button.icon-button.carousel-step", { type: "button", "aria-label": "Previous cards", onclick: () => step(-1) }, icon("left"));
  const forth = el("button.icon-button.carousel-step.next", { type: "button", "aria-label": "Next cards", onclick: () => step(1) }, icon("right"));
  const show = () => {
    back.hidden = track.scrollLeft < 8;
    forth.hidden = track.scrollLeft + track.clientWidth > track.scrollWidth - 8;
  };
  track.addEventListener("scroll", show, { passive: true });
  requestAnimationFrame(show);
  return el("div.block.carousel", {}, back, track, forth);
}

const STATUS = {
  pending: ["clock", "Waiting"],
  in_progress: ["spark", "Working"],
  complete: ["check", "Done"],
  error: ["warning", "Failed"],
};

function task(block) {
  const [glyph, label] = STATUS[block.status] || STATUS.pending;
  const more = [
    block.details && el("div.task-details.prose", {}, richText(block.details.elements)),
    block.output && el("div.task-output.prose", {}, richText(block.output.elements)),
    block.sources?.length && el("div.task-sources", {}, block.sources.map((source) => link(source.url, [icon("link"), source.text || source.url], { class: "source" }))),
  ].filter(Boolean);
  const mark = block.status === "in_progress" ? el("span.spinner.is-shown", { "aria-hidden": "true" }) : icon(glyph);
  const head = [el("span.task-mark", { title: label }, mark, el("span.sr-only", {}, label)), el("span.task-title", {}, block.title)];
  const frame = `task.status-${block.status || "pending"}`;
  if (!more.length) return el(`div.${frame}`, {}, el("div.task-head", {}, head));
  return el(`details.${frame}`, { open: block.status !== "complete" ? true : null }, el("summary.task-head", {}, head, icon("down", { class: "icon chevron" })), el("div.task-more", {}, more));
}

function plan(block) {
  const tasks = block.tasks || [];
  const done = tasks.filter((one) => one.status === "complete").length;
  return el("details.block.plan", { open: true },
    el("summary", {}, icon("down", { class: "icon chevron" }), el("span.plan-title", {}, typeof block.title === "string" ? block.title : textNodes(block.title)), el("small", {}, `${done} of ${tasks.length} done`)),
    el("div.plan-tasks", {}, tasks.map(task)));
}

const LEVELS = { default: "info", info: "info", success: "check", warning: "warning", error: "warning" };

function alert(block) {
  const level = LEVELS[block.level] ? block.level : "default";
  return el(`div.block.alert.alert-${level}`, { role: level === "error" ? "alert" : "note" }, icon(LEVELS[level]), el("div.prose", {}, textNodes(block.text)));
}

/** Containers hold blocks, so they are given the one door to them. */
const containerWith = (blockNode) => (block, surface) => {
  const head = [
    block.icon && el("span.card-icon", {}, picture(block.icon, "icon")),
    el("div", {}, el("div.container-title", {}, textNodes(block.title)), block.subtitle && el("div.card-subtitle.prose", {}, textNodes(block.subtitle))),
  ];
  const body = el("div.container-body", {}, (block.child_blocks || block.blocks || []).map((child) => blockNode(child, surface)));
  const classes = `${block.has_header_divider ? "has-line" : ""} width-${["narrow", "wide", "full"].includes(block.width) ? block.width : "standard"}`;
  if (!block.is_collapsible) return el("section.block.container", { class: classes }, el("div.container-head", {}, head), body);
  return el("details.block.container", { class: classes, open: !block.default_collapsed }, el("summary.container-head", {}, head, icon("down", { class: "icon chevron" })), body);
};

export const CARDS = (blockNode) => ({
  card, carousel, plan, alert,
  task_card: (block) => el("div.block.task-card", {}, task(block)),
  container: containerWith(blockNode),
});
