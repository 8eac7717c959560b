// @ts-check
import { html } from './vendor/lit.js';

/**
 * The words of the page. A catalogue maps keys to text, or to the forms of a plural chosen by {n}; values stand in braces.
 * @typedef {string | string[]} Text
 */

/** Each by its own name. */
export const LANGUAGES = [['en', 'English'], ['de', 'Deutsch'], ['es', 'Español'], ['pl', 'Polski'], ['ar', 'العربية']];

/** @type {Record<string, Text>} */
let english = {};
/** @type {Record<string, Text>} */
let words = {};
/** @type {number[]} the form of each number from 0 to 199, made by the server from the language's rule */
let forms = [];
let language = 'en';
let asked = 0;

/** Load a language; English, which is the keys' own text, fills what it lacks. @param {string} wanted */
export async function speak(wanted) {
  const turn = ++asked;
  if (!Object.keys(english).length) english = await fetched('/static/words.json');
  const catalogue = await fetched(`/i18n/${encodeURIComponent(wanted)}.json`).catch(() => ({ texts: {}, plural: [], dir: wanted === 'ar' ? 'rtl' : 'ltr' }));
  if (turn !== asked) return; // another language was asked for meanwhile
  words = catalogue.texts;
  forms = catalogue.plural;
  language = wanted;
  document.documentElement.lang = wanted;
  document.documentElement.dir = catalogue.dir;
}

/** @param {string} path */
async function fetched(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** @returns {string} the language shown, with Latin digits: they are those on the parcels */
export function locale() {
  return `${language}-u-nu-latn`;
}

/** @param {string} key */
export function known(key) {
  return key in words || key in english;
}

/** @param {string} key @param {Record<string, any>} args @returns {string} */
function template(key, args) {
  const own = chosen(words[key], Number(args.n ?? 0), forms);
  return own || chosen(english[key], Number(args.n ?? 0), []) || key;
}

/** @param {Text | undefined} text @param {number} n @param {number[]} table @returns {string} */
function chosen(text, n, table) {
  if (!Array.isArray(text)) return text ?? '';
  const form = table[n < 200 ? n : 100 + (n % 100)] ?? (n === 1 ? 0 : 1);
  return text[form] ?? text[text.length - 1];
}

/** A sentence as plain text, for attributes; values are isolated so that they cannot turn the line around. @param {string} key @param {Record<string, any>} args */
export function t(key, args = {}) {
  return template(key, args).replace(/\{(\w+)\}/g, (whole, name) => (name in args ? `\u2068${args[name]}\u2069` : whole));
}

/** A sentence for the screen, each value in its own bdi. @param {string} key @param {Record<string, any>} args */
export function say(key, args = {}) {
  return template(key, args).split(/(\{\w+\})/g).map((piece) => {
    const name = piece.startsWith('{') ? piece.slice(1, -1) : '';
    return name in args ? html`<bdi>${args[name]}</bdi>` : piece;
  });
}

/** The word of a code: the fleet's own name for it, else ours, else the code as it came. @param {string} kind @param {string | null | undefined} code @param {string} own */
export function word(kind, code, own = '') {
  if (own) return own;
  const key = `${kind}.${code}`;
  return known(key) ? t(key) : String(code ?? '');
}
