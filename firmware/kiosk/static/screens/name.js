// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { amount } from '../format.js';
import { say, t, word } from '../i18n.js';
import { fitted } from '../parts/fit.js';
import { icon } from '../parts/icons.js';
import '../parts/keyboard.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import '../parts/steps.js';

/** S7d: who took it, what was done, and the tap that makes it a proof. */
class Name extends Screen {
  static properties = { typed: { state: true }, relation: { state: true } };

  static styles = [look, css`
    .chip-key { inline-size: 100%; line-height: 1.1; padding: 0 calc(var(--mm) * 1); }
    .chip-key > svg.icon { position: absolute; inset-block-end: calc(var(--mm) * 0.8); inset-inline-end: calc(var(--mm) * 0.8); inline-size: calc(var(--mm) * 4); block-size: calc(var(--mm) * 4); color: var(--accent); stroke-width: 3; }
    .chip-key .text { flex: 1; padding-inline: 0; }
    .chip-key .own { font-size: calc(var(--mm) * 3.5); }
    .chip-key .small:lang(ar) { line-height: 1.3; margin-block-start: -0.2em; }
    .chip-key .small { display: block; font-weight: 500; font-size: calc(var(--mm) * 2.9); line-height: 1; }
    .summary { display: flex; flex-direction: column; gap: calc(var(--mm) * 0.9); align-self: stretch; padding-block: calc(var(--mm) * 1.6); font-size: calc(var(--mm) * 3.7); }
    .summary li { display: flex; gap: var(--gap); align-items: center; line-height: 1.1; }
    .summary svg.icon { color: var(--ok); } .summary .warn svg.icon, .summary .no svg.icon { color: inherit; }
    .summary .no { color: var(--quiet); }
    h2 { font-size: var(--small); color: var(--quiet); }
  `];

  constructor() {
    super();
    this.typed = '';
    this.relation = 'other';
  }

  reset() {
    super.reset();
    this.typed = '';
    this.relation = 'other';
  }

  body() {
    if (this.mode) return html`<rp-keyboard .kind=${this.mode === 'note' ? 'text' : 'name'} .language=${this.view.lang} .value=${this.typed}
      @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail; }}></rp-keyboard>`;
    const { steps, chips = [] } = this.d;
    return html`<rp-steps .steps=${steps} .word=${this.view.word}></rp-steps><div class="columns"><div class="stack grow wide"><h2>${t('name.who')}</h2>
        <rp-list label=${t('name.who')} .items=${chips} .across=${2} .row_mm=${12} .row=${(/** @type {any} */ chip) => this.chip(chip)}></rp-list></div>
      <div class="stack">${this.summary()}</div></div>`;
  }

  /** @param {any} chip */
  chip(chip) {
    const chosen = this.d.relation === chip.relation && (!chip.name || chip.name === this.d.name);
    const own = chip.name || (chosen && this.d.name);
    return html`<button type="button" class="key chip-key" aria-pressed=${chosen} @click=${() => this.choose(chip)}>${chosen ? icon('ok') : nothing}
      <span class="text">${own ? html`${fitted(own, 2, 'own')}<span class="small">${word('relation', chip.relation)}</span>` : word('relation', chip.relation)}</span></button>`;
  }

  /** @param {any} chip */
  choose(chip) {
    const { relation, name } = chip;
    if (relation === 'other') {
      this.relation = relation;
      this.mode = 'name';
    } else {
      this.send('pod.name', name ? { name, relation } : { relation });
    }
  }

  summary() {
    const { summary, flags = [] } = this.d;
    const line = (/** @type {string} */ look, /** @type {string} */ mark, /** @type {unknown} */ text) => html`<li class=${look}>${icon(mark)}<span>${text}</span></li>`;
    return html`<ul class="card summary" aria-label=${t('name.summary')}>
      ${line('', 'parcel', say('stop.parcels', { n: summary.parcels }))}
      ${summary.missing ? line('warn', 'warn', say('name.missing', { n: summary.missing })) : nothing}
      ${summary.photo ? line('', 'photo', t('name.photo')) : line('no', 'camera_off', t('name.no_photo'))}
      ${line(summary.signature === 'signed' ? '' : 'no', 'sign', word('signature', summary.signature))}
      ${summary.cash ? line('', 'cod', html`<bdi>${amount(summary.cash)}</bdi>`) : nothing}
      ${flags.map((/** @type {string} */ flag) => line('warn', 'info', word('flag', flag)))}</ul>`;
  }

  actions() {
    if (this.mode) return { back: { label: t('back'), act: () => this.reset() }, typed: { label: this.mode === 'note' ? t('name.note') : word('relation', this.relation), value: this.typed }, primary: { label: t('done'), icon: 'ok', act: () => this.write(), locked: this.typed.trim() ? null : t(this.mode === 'note' ? 'note.type' : 'name.type') } };
    const { ready, lacks = [], relation } = this.d;
    const third = relation && !['recipient', 'mailbox', 'safe_place', 'pickup_point'].includes(relation);
    const why = ready ? null : t('name.lacks', { what: lacks.map((/** @type {string} */ step) => word('step', step)).join(', ') });
    return {
      back: { label: t('back'), cmd: 'pod.back' },
      others: [
        third && { label: t('name.type'), icon: 'keyboard', act: () => { this.relation = relation; this.typed = this.d.name ?? ''; this.mode = 'name'; } },
        { label: t('name.note'), icon: 'note', act: () => { this.mode = 'note'; this.typed = ''; } },
      ],
      primary: { label: t('name.confirm'), icon: 'ok', cmd: 'pod.confirm', locked: why },
    };
  }

  write() {
    const text = this.typed.trim();
    if (this.mode === 'note') this.send('pod.note', { text });
    else this.send('pod.name', { name: text, relation: this.relation });
    this.reset();
  }
}

customElements.define('rp-name', Name);
