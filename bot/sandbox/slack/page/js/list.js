// A list of messages that keeps its place: days, the "New" line, groups of one author, older ones on scrolling up.

import { el } from "./dom.js";
import { icon } from "./icons.js";
import { messageNode } from "./message.js";
import { authorOf, state } from "./state.js";
import { dayKey, dayName } from "./time.js";

const TOGETHER_SECONDS = 300;
const BOTTOM_PIXELS = 70;

export class MessageList {
  /** @param {{channel: string, inThread?: boolean, intro?: () => Node, older?: () => Promise<void>, label: string}} options */
  constructor(options) {
    this.options = options;
    this.rows = new Map();
    this.list = el("div.message-list", { role: "log", "aria-label": options.label, "aria-live": "off" });
    this.jump = el("button.jump", { type: "button", hidden: true, onclick: () => this.toBottom(true) }, icon("down"), el("span", {}, "Latest messages"));
    this.scroller = el("div.scroller", { tabindex: "-1" }, this.list);
    this.node = el("div.list-box", {}, this.scroller, this.jump);
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.walk(event));
    new ResizeObserver(() => this.sticks && this.toBottom()).observe(this.scroller);
    new ResizeObserver(() => this.sticks && this.toBottom()).observe(this.list);
    this.sticks = true;
    this.loading = false;
  }

  /** Draw these messages, oldest first; rows that did not change stay the same nodes. */
  show(messages, { hasMore = false } = {}) {
    const before = this.scroller.scrollHeight - this.scroller.scrollTop;
    const grew = this.rows.size && messages.length && !this.rows.has(messages[0].ts) && this.rows.has(messages.at(-1).ts);
    const focus = this.focusMark();
    const nodes = this.nodesOf(messages, hasMore);
    reconcile(this.list, nodes);
    this.restoreFocus(focus);
    if (grew) this.scroller.scrollTop = this.scroller.scrollHeight - before;
    else if (this.sticks) this.toBottom();
    else this.jump.hidden = this.atBottom();
    this.hasMore = hasMore;
  }

  nodesOf(messages, hasMore) {
    const nodes = [];
    const rows = new Map();
    if (hasMore) nodes.push(this.keyed(rows, "older", () => el("div.loading-older", {}, el("span.spinner.is-shown"), "Older messages")));
    else if (this.options.intro) nodes.push(this.keyed(rows, "intro", this.options.intro));
    let before = null;
    for (const message of messages) {
      nodes.push(...this.dividers(rows, before, message));
      const grouped = isGrouped(before, message) && !this.isNewLine(message);
      nodes.push(this.row(rows, message, grouped));
      before = message;
    }
    this.rows = rows;
    return nodes;
  }

  dividers(rows, before, message) {
    const found = [];
    if (!this.options.inThread && (!before || dayKey(before.ts) !== dayKey(message.ts))) {
      found.push(this.keyed(rows, `day ${dayName(message.ts)} ${dayKey(message.ts)}`, () => el("div.day", { role: "separator" }, el("span", {}, dayName(message.ts)))));
    }
    if (this.isNewLine(message)) found.push(this.keyed(rows, "new-line", () => el("div.new-line", { role: "separator" }, el("span", {}, "New"))));
    return found;
  }

  isNewLine(message) {
    return !this.options.inThread && state.newLine.get(this.options.channel) === message.ts;
  }

  keyed(rows, key, make) {
    const known = this.rows.get(key) || { node: make() };
    rows.set(key, known);
    return known.node;
  }

  row(rows, message, grouped) {
    const stamp = `${grouped} ${JSON.stringify(message)} ${authorOf(message).name}`;
    const known = this.rows.get(message.ts);
    const row = known?.stamp === stamp ? known : { stamp, node: messageNode(message, { channel: this.options.channel, grouped, inThread: this.options.inThread }) };
    if (known && known !== row && known.node.classList.contains("is-highlighted")) row.node.classList.add("is-highlighted");
    rows.set(message.ts, row);
    return row.node;
  }

  focusMark() {
    const active = document.activeElement;
    if (!this.list.contains(active)) return null;
    return { press: active.dataset.press, ts: active.closest(".message")?.dataset.ts };
  }

  restoreFocus(mark) {
    if (!mark || this.list.contains(document.activeElement)) return;
    const press = mark.press && this.list.querySelector(`[data-press="${CSS.escape(mark.press)}"]`);
    (press || this.rows.get(mark.ts)?.node)?.focus({ preventScroll: true });
  }

  atBottom() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < BOTTOM_PIXELS;
  }

  scrolled() {
    this.sticks = this.atBottom();
    this.jump.hidden = this.sticks;
    if (this.scroller.scrollTop < 120 && this.hasMore) this.loadOlder();
  }

  async loadOlder() {
    if (this.loading || !this.options.older) return;
    this.loading = true;
    await this.options.older();
    this.loading = false;
  }

  toBottom(smooth = false) {
    this.sticks = true;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" });
    this.jump.hidden = true;
  }

  /** Bring one message into view and mark it for a moment. */
  reveal(ts) {
    const row = this.rows.get(ts)?.node;
    if (!row) return false;
    this.sticks = false;
    row.scrollIntoView({ block: "center" });
    row.classList.add("is-highlighted");
    setTimeout(() => this.list.querySelectorAll(".is-highlighted").forEach((one) => one.classList.remove("is-highlighted")), 4000);
    row.focus({ preventScroll: true });
    return true;
  }

  walk(event) {
    const row = document.activeElement;
    if (!row?.classList?.contains("message") || !["ArrowUp", "ArrowDown", "Enter", "t", "r"].includes(event.key) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (event.key.startsWith("Arrow")) {
      const all = [...this.list.querySelectorAll(".message")];
      all[all.indexOf(row) + (event.key === "ArrowUp" ? -1 : 1)]?.focus();
    } else if (event.key === "r") row.querySelector(".tool[aria-label='Find another reaction']")?.click();
    else row.querySelector(".tool[aria-label='Reply in thread']")?.click();
  }

  focusLast() {
    [...this.list.querySelectorAll(".message")].at(-1)?.focus();
  }
}

function isGrouped(before, message) {
  if (!before || dayKey(before.ts) !== dayKey(message.ts)) return false;
  if (before.ephemeral || message.ephemeral || before.subtype === "thread_broadcast" || message.subtype === "thread_broadcast" || before.reply_count) return false;
  return authorOf(before).key === authorOf(message).key && message.ts - before.ts < TOGETHER_SECONDS;
}

/** Make the children of `parent` exactly `nodes`, moving as little as possible. */
function reconcile(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}
