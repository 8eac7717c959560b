// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { say, t, word } from '../i18n.js';
import { icon, progress } from '../parts/icons.js';
import '../parts/keyboard.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { codeText, verdictBar } from '../parts/verdict.js';

const TYPE = ' type'; // the screen's mode is this, or a parcel's code, which holds no space in front

/** S3: what goes into the vehicle. Scanning needs no tap; a missing parcel needs a reason. */
class Load extends Screen {
  static properties = { typed: { state: true } };

  static styles = [look, css`
    .count { display: flex; align-items: baseline; gap: var(--gap); }
    .count .of { font-size: var(--large); color: var(--quiet); }
    .place { font-size: var(--large); display: flex; flex-wrap: wrap; gap: var(--gap) calc(var(--mm) * 5); }
    .missing { gap: var(--gap); inline-size: 100%; }
    .missing .no { font-size: var(--small); font-weight: 500; }
    h2 { font-size: var(--small); color: var(--quiet); }
  `];

  constructor() {
    super();
    this.typed = '';
  }

  body() {
    if (this.mode === TYPE) return html`<rp-keyboard kind="code" .value=${this.typed} @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail; }}></rp-keyboard>`;
    const { total, loaded, wrong, last, missing = [], reasons = [] } = this.d;
    if (this.mode) return html`<p class="strong">${t('load.why')} ${codeText(this.mode)}</p>
      <rp-list label=${t('load.why')} .items=${reasons} .across=${2} .row_mm=${14} .row=${(/** @type {string} */ code) => html`<button type="button" class="key" @click=${() => this.miss(code)}>${word('reason', code)}</button>`}></rp-list>`;
    return html`<div class="columns"><div class="stack">
        <div class="count"><bdi class="huge">${loaded}</bdi><span class="of">/ <bdi>${total}</bdi></span>${wrong ? html`<span class="chip bad">${icon('wrong')}${say('load.wrong_count', { n: wrong })}</span>` : nothing}</div>
        ${progress(loaded, total, t('load.progress', { loaded, total }))}
        ${verdictBar(last)}
        ${last?.verdict === 'ok' ? html`<p class="place strong">${last.stop_no ? html`<span>${say('title.stop', { no: last.stop_no })}</span>` : nothing}${last.shelf ? html`<span>${say('load.shelf', { shelf: last.shelf })}</span>` : nothing}</p>`
          : last && last.verdict !== 'dup' ? html`<p>${t('load.put_aside')}</p>` : nothing}
      </div><div class="stack grow">${missing.length ? html`<h2>${say('load.missing', { n: missing.length })}</h2>
        <rp-list label=${t('load.missing', { n: missing.length })} .items=${missing} .row_mm=${12} .row=${(/** @type {any} */ one) => this.missing(one)}></rp-list>`
        : html`<div class="empty">${icon('ok')}<p>${t('load.complete')}</p></div>`}</div></div>`;
  }

  /** @param {any} one */
  missing(one) {
    return html`<button type="button" class="key start missing" @click=${() => { this.mode = one.code; }}><span class="text">${codeText(one.code)}
      <span class="no one">${say('title.stop', { no: one.stop_no })} · ${one.reason ? html`<b>${word('reason', one.reason)}</b>` : html`<span class="quiet">${t('load.tap')}</span>`}</span></span></button>`;
  }

  /** @param {string} reason */
  miss(reason) {
    this.send('load.missing', { code: this.mode, reason });
    this.mode = '';
  }

  use() {
    this.send('pod.typed', { code: this.typed });
    this.typed = '';
    this.mode = '';
  }

  actions() {
    const close = { label: t('back'), act: () => { this.mode = ''; } };
    if (this.mode === TYPE) return { back: close, typed: { label: t('scan.type_label'), value: this.typed }, primary: { label: t('scan.type_ok'), icon: 'ok', locked: this.typed ? null : t('scan.type_first'), act: () => this.use() } };
    if (this.mode) return { back: close };
    const open = (this.d.missing ?? []).filter((/** @type {any} */ one) => !one.reason).length;
    return { others: [{ label: t('scan.type'), icon: 'keyboard', act: () => { this.mode = TYPE; } }], primary: { label: t('load.depart'), icon: 'truck', cmd: 'load.done', locked: open ? t('load.reasons_lack', { n: open }) : null } };
  }
}

customElements.define('rp-load', Load);
