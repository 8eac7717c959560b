// @ts-check
import { html, nothing } from '../vendor/lit.js';
import { t, word } from '../i18n.js';
import { icon } from './icons.js';
import { tail } from '../format.js';

/** A barcode with its end, by which parcels are told apart, in bold. @param {string} code */
export function codeText(code) {
  const [start, end] = tail(code);
  return html`<bdi class="code" dir="ltr">${start}<b>${end}</b></bdi>`;
}

/** What a scan meant: a bar as wide as its place, with a mark and a word. @param {{code: string, verdict: string} | null | undefined} last @param {unknown} more */
export function verdictBar(last, more = nothing) {
  if (!last) return html`<div class="verdict none" role="status">${icon('scan')}<span>${t('scan.ready')}</span></div>`;
  return html`<div class="verdict ${last.verdict}" role="status">${icon(last.verdict)}
    <span class="said"><b>${word('verdict', last.verdict)}</b> <span class="small">${codeText(last.code)}</span></span>${more}</div>`;
}
