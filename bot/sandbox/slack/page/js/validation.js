// What a form can know to be wrong before it is sent, in Slack's own words.

const isEmpty = (value) => {
  if (!value) return true;
  const { type, ...rest } = value;
  return Object.values(rest).every((one) => one === null || one === undefined || one === "" || (Array.isArray(one) && !one.length));
};

/** @returns {Record<string, string>} block id -> what is wrong there */
export function faultsOf(blocks, values) {
  const faults = {};
  for (const block of blocks) {
    if (block.type !== "input") continue;
    const value = values[block.block_id]?.[block.element.action_id];
    const fault = isEmpty(value) ? (block.optional ? "" : "Please complete this required field.") : faultIn(block.element, value.value);
    if (fault) faults[block.block_id] = fault;
  }
  return faults;
}

function faultIn(element, text) {
  const check = CHECKS[element.type];
  return check ? check(element, String(text ?? "")) : "";
}

const CHECKS = {
  plain_text_input: (element, text) => {
    if (element.min_length && text.length < element.min_length) return `Please enter at least ${element.min_length} characters.`;
    return element.max_length && text.length > element.max_length ? `Please enter at most ${element.max_length} characters.` : "";
  },
  email_text_input: (_, text) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) ? "" : "Please enter a valid email address."),
  url_text_input: (_, text) => (/^https?:\/\/[^\s.]+\.?\S+$/i.test(text) ? "" : "Please enter a valid URL."),
  number_input: (element, text) => {
    const number = Number(text);
    if (!Number.isFinite(number)) return "Please enter a number.";
    if (!element.is_decimal_allowed && !Number.isInteger(number)) return "Please enter a whole number.";
    if (element.min_value !== undefined && number < Number(element.min_value)) return `Please enter a number that is at least ${element.min_value}.`;
    return element.max_value !== undefined && number > Number(element.max_value) ? `Please enter a number that is at most ${element.max_value}.` : "";
  },
};
