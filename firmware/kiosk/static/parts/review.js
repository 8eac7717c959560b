// @ts-check
import { css, html } from '../vendor/lit.js';
import { t, word } from '../i18n.js';
import { icon } from './icons.js';

export const reviewStyles = css`
  .see { flex: 1; min-block-size: 0; display: flex; position: relative; border-radius: var(--radius); overflow: hidden; background: #05070a; }
  .see > * { flex: 1; min-block-size: 0; }
  .see img { inline-size: 100%; block-size: 100%; object-fit: contain; position: absolute; inset: 0; }
  .see .verdict { position: absolute; inset-inline: 0; inset-block-start: 0; border-radius: 0; font-weight: 700; }
`;

/** A picture that was taken, and what is wrong with it. @param {{sha256: string, warning: string | null}} review */
export function reviewed({ sha256, warning }) {
  return html`<div class="see"><img src="/media/${sha256}" alt=${t('photo.taken')}>
    <div class="verdict ${warning ? 'dup' : 'ok'}" role="status">${icon(warning ? 'warn' : 'ok')}<span>${warning ? word('photo', warning) : t('photo.taken')}</span></div></div>`;
}
