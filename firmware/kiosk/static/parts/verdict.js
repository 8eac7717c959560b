// @ts-check
import { html } from '../vendor/lit.js';
import { t, word } from '../i18n.js';
import { icon } from './icons.js';
import { groups } from '../format.js';

/** A barcode with its end, by which parcels are told apart, in bold. The gaps between groups are drawn, not written: the text stays the code. @param {string} code */
export function codeText(code) {
  const parts = groups(code);
  return html`<bdi class="code" dir="ltr">${parts.map((part, n) => (n < parts.length - 1 ? html`<span>${part}</span>` : html`<b>${part}</b>`))}</bdi>`;
}

/** What a scan meant: a bar as wide as its place, with a mark and a word; before the first, how to scan. @param {{code: string, verdict: string} | null | undefined} last @param {boolean} camera whether it can see */
export function verdictBar(last, camera = true) {
  if (!last) return html`<div class="verdict none" role="status">${icon('scan')}<span>${t(camera ? 'scan.ready' : 'scan.no_camera')}</span></div>`;
  return html`<div class="verdict ${last.verdict}" role="status">${icon(last.verdict)}
    <span class="said"><b>${word('verdict', last.verdict)}</b> <span class="small">${codeText(last.code)}</span></span></div>`;
}
