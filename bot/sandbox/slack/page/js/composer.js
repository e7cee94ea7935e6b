// The box to write in: text, commands with completion, files by button, paste and drop.

import { announce, append, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { post, upload } from "./api.js";
import { commandOf, suggestionsAt, wireText } from "./completion.js";
import { openEmojiPicker } from "./message_actions.js";
import { emit, state, threadKey } from "./state.js";
import { size } from "./time.js";

/** What was typed and not sent, by place; it survives switching channels. */
const drafts = new Map();

export class Composer {
  /** @param {{channel: string, threadTs?: string, placeholder: string}} where */
  constructor(where) {
    this.where = where;
    this.key = threadKey(where.channel, where.threadTs);
    this.files = [];
    this.active = 0;
    this.found = null;
    this.build();
    this.text.value = drafts.get(this.key) || "";
    requestAnimationFrame(() => this.grow());  // measured once it stands in the page
    this.refresh();
  }

  build() {
    const kind = this.where.threadTs ? "thread" : "channel";
    this.text = el("textarea.composer-text", {
      id: `composer-${kind}`, rows: 1, placeholder: this.where.placeholder, "aria-label": this.where.placeholder, autocomplete: "off", spellcheck: "true",
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `completion-${kind}`, "aria-haspopup": "listbox",
      oninput: () => this.typed(), onkeydown: (event) => this.key_(event), onpaste: (event) => this.pasted(event),
      onblur: () => setTimeout(() => this.offer(null), 120), onclick: () => this.complete(),
    });
    this.menu = el("div.completion", { id: `completion-${kind}`, role: "listbox", hidden: true, "aria-label": "Suggestions" });
    this.usage = el("div.usage-line", { hidden: true });
    this.chips = el("div.attach-list");
    this.chooser = el("input.sr-only", { type: "file", multiple: true, tabindex: "-1", "aria-hidden": "true", onchange: () => { this.attach([...this.chooser.files]); this.chooser.value = ""; } });
    this.send = el("button.send", { type: "button", "aria-label": "Send now", title: "Send now", onclick: () => this.submit() }, icon("send"));
    this.box = el("div.composer-box", {}, this.formats(), this.text, this.chips, el("div.composer-bar", {}, this.tools(), this.send));
    this.notice = el("div.notice", { role: "alert", hidden: true });
    this.node = el("div.composer", {}, this.menu, this.usage, this.box, this.notice, el("div.composer-foot", {}, el("span", {}, el("kbd", {}, "Enter"), " to send"), el("span", {}, el("kbd", {}, "Shift+Enter"), " new line"), el("span", {}, el("kbd", {}, "/"), " commands")));
    this.dropping();
  }

  formats() {
    const one = (label, mark, shown, close = mark) => el("button.format", { type: "button", title: label, "aria-label": label, tabindex: "-1", onmousedown: (event) => event.preventDefault(), onclick: () => this.wrap(mark, close) }, shown);
    return el("div.composer-formats", { "aria-label": "Formatting" }, one("Bold", "*", el("b", {}, "B")), one("Italic", "_", el("i", {}, "I")), one("Strikethrough", "~", el("s", {}, "S")),
      el("span.tool-gap"), one("Code", "`", "</>"), one("Code block", "```\n", "{ }", "\n```"), one("Quote", "> ", "❝", ""));
  }

  tools() {
    const one = (label, glyph, act) => el("button.icon-button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(glyph));
    const insert = (text) => () => { this.insert(text); this.complete(); };
    return el("div.composer-tools", {}, el("button.icon-button.round", { type: "button", "aria-label": "Attach files", title: "Attach files", onclick: () => this.chooser.click() }, icon("plus")), this.chooser,
      one("Emoji", "smile", (event) => openEmojiPicker(event.currentTarget, (code) => this.insert(`:${code}: `))),
      one("Mention someone", "at", insert("@")),
      !this.where.threadTs && one("Run a command", "slash", () => { if (!this.text.value) insert("/")(); this.text.focus(); }));
  }

  // Typing

  typed() {
    drafts.set(this.key, this.text.value);
    this.grow();
    this.refresh();
    this.complete();
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 260)}px`;
  }

  refresh() {
    this.send.disabled = !this.text.value.trim() && !this.files.length;
    this.send.classList.toggle("is-ready", !this.send.disabled);
    const command = this.where.threadTs ? null : commandOf(this.text.value);
    this.usage.hidden = !command?.known || Boolean(this.found);
    if (command?.known) fill(this.usage, icon("slash"), el("b", {}, command.name), el("span.usage", {}, command.known.usage_hint || ""), el("span.usage-about", {}, command.known.description || ""));
  }

  insert(text) {
    this.text.focus();
    this.text.setRangeText(text, this.text.selectionStart, this.text.selectionEnd, "end");
    this.typed();
  }

  wrap(mark, close) {
    const { selectionStart: from, selectionEnd: to, value } = this.text;
    this.text.focus();
    this.text.setRangeText(`${mark}${value.slice(from, to)}${close}`, from, to, "end");
    if (from === to) this.text.setSelectionRange(from + mark.length, from + mark.length);
    this.typed();
  }

  key_(event) {
    if (event.isComposing) return;
    if (this.found && this.completionKey(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "ArrowUp" && !this.text.value) {
      emit("focus-last", this.where);
    }
  }

  // Completion

  complete() {
    this.offer(suggestionsAt(this.text.value, this.text.selectionStart));
  }

  offer(found) {
    this.found = found;
    this.active = 0;
    this.menu.hidden = !found;
    this.text.setAttribute("aria-expanded", String(Boolean(found)));
    if (found) this.drawMenu();
    else this.text.removeAttribute("aria-activedescendant");
    this.refresh();
  }

  drawMenu() {
    fill(this.menu, el("div.completion-head", {}, this.found.name, el("span", {}, el("kbd", {}, "↑"), el("kbd", {}, "↓"), " to choose, ", el("kbd", {}, "Tab"), " to take")));
    append(this.menu, this.found.suggestions.map((one, index) => el("div.completion-item", {
      role: "option", id: `${this.menu.id}-${index}`, class: index === this.active ? "is-active" : "", "aria-selected": String(index === this.active), data: { key: one.key },
      onmousedown: (event) => { event.preventDefault(); this.take(index); },
    }, el("span.completion-mark", {}, one.mark), el("span.completion-label", {}, one.label), one.hint && el("span.completion-hint", {}, one.hint))));
    this.text.setAttribute("aria-activedescendant", `${this.menu.id}-${this.active}`);
    this.menu.children[this.active + 1]?.scrollIntoView({ block: "nearest" });
  }

  completionKey(event) {
    const count = this.found.suggestions.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.active = (this.active + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      this.drawMenu();
      return true;
    }
    if (event.key === "Escape") {
      this.offer(null);
      event.stopPropagation();
      return true;
    }
    const chosen = this.found.suggestions[this.active];
    // Enter on a command that is typed out already sends it.
    if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && chosen.key !== this.text.value.trim())) {
      this.take(this.active);
      return true;
    }
    return false;
  }

  take(index) {
    const { from, suggestions } = this.found;
    this.text.setRangeText(suggestions[index].insert, from, this.text.selectionStart, "end");
    this.offer(null);
    this.typed();
    this.offer(null);
  }

  // Files

  dropping() {
    let depth = 0;
    const shade = (shown) => this.node.classList.toggle("is-dropping", shown);
    this.node.addEventListener("dragenter", (event) => { event.preventDefault(); shade((depth += 1) > 0); });
    this.node.addEventListener("dragleave", () => shade((depth -= 1) > 0));
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      shade(false);
      depth = 0;
      this.attach([...event.dataTransfer.files]);
    });
  }

  pasted(event) {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length) return;
    event.preventDefault();
    this.attach(files);
  }

  attach(files) {
    this.files.push(...files);
    this.drawFiles();
    this.text.focus();
  }

  drawFiles() {
    fill(this.chips, this.files.map((file) => el("div.attach-chip", {}, el("span.file-kind", {}, icon("file")), el("span.file-text", {}, el("span.file-name", {}, file.name), el("small", {}, size(file.size))),
      el("button.icon-button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => { this.files = this.files.filter((one) => one !== file); this.drawFiles(); } }, icon("close")))));
    this.refresh();
  }

  // Sending

  async submit() {
    const typed = this.text.value.trim();
    const files = this.files;
    if ((!typed && !files.length) || this.sending) return;
    this.say("");
    const command = files.length ? null : commandOf(typed);
    if (command && this.where.threadTs) return this.say(`${command.name} is not supported in threads. Sorry!`);
    this.clear();
    this.sending = true;
    this.box.classList.add("is-sending");
    const answer = command ? await this.run(typed) : files.length ? await this.sendFiles(files, typed) : await this.sendText(typed);
    this.sending = false;
    this.box.classList.remove("is-sending");
    if (!answer.ok) this.restore(typed, answer.kept || [], answer);
  }

  run(typed) {
    emit("sent", this.where);
    return post("commands", { channel: this.where.channel, text: typed });
  }

  sendText(typed) {
    emit("sent", this.where);
    return post("messages", { channel: this.where.channel, text: wireText(typed), ...(this.where.threadTs ? { thread_ts: this.where.threadTs } : {}) });
  }

  async sendFiles(files, typed) {
    let text = wireText(typed);
    for (const [index, file] of files.entries()) {
      const answer = await upload(file, { channel: this.where.channel, threadTs: this.where.threadTs, text });
      if (!answer.ok) return { ...answer, kept: files.slice(index), sentText: !text && typed };
      text = "";
    }
    return { ok: true };
  }

  clear() {
    this.text.value = "";
    this.files = [];
    drafts.delete(this.key);
    this.drawFiles();
    this.grow();
    this.offer(null);
  }

  /** What could not be sent comes back, unless something new was typed meanwhile. */
  restore(typed, files, answer) {
    if (!this.text.value && !answer.sentText) this.text.value = typed;
    this.files = [...files, ...this.files];
    this.drawFiles();
    this.typed();
    this.offer(null);
    this.say(answer.message || "That could not be sent.");
  }

  /** The line under the box, as Slack itself speaks. */
  say(text) {
    this.notice.hidden = !text;
    fill(this.notice, text && [icon("warning"), el("span", {}, text), el("button.icon-button", { type: "button", "aria-label": "Dismiss", onclick: () => { state.notices.delete(this.where.channel); this.say(""); } }, icon("close"))]);
    if (text) announce(text);
    else state.notices.delete(this.where.channel);
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }
}
