// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { LANGUAGES, known, say, t, word } from '../i18n.js';
import { fitted } from '../parts/fit.js';
import { icon } from '../parts/icons.js';
import { look } from '../parts/look.js';
import '../parts/viewfinder.js';

const FILE = 'enrol.txt';
/** @type {Record<string, string>} */
const MARKS = { done: 'ok', now: 'clock', todo: 'minus' };

/** The screen of a box that is no unit yet (firmware/kiosk/reception.py): it asks for its code, tells what it saw, and at last who it is. */
class Enrol extends Screen {
  static styles = [look, css`
    header { display: flex; align-items: center; gap: calc(var(--mm) * 3); flex: none; min-block-size: calc(var(--mm) * 7); padding-inline: var(--pad); background: var(--surface); border-block-end: var(--line) solid var(--hair); font-size: var(--small); font-weight: 600; }
    header b { flex: 1; font-size: var(--body); }
    rp-viewfinder, .stick { flex: 1; }
    .stick { display: flex; flex-direction: column; align-items: center; justify-content: center; gap: var(--gap); background: var(--sunken); border-radius: var(--radius); padding: var(--pad); text-align: center; font-weight: 600; }
    .stick svg.icon { inline-size: calc(var(--mm) * 14); block-size: calc(var(--mm) * 14); stroke-width: 1.6; }
    .see { display: flex; flex-direction: column; }
    .tell { justify-content: center; overflow: hidden; }
    h1 { font-size: calc(var(--mm) * 8); line-height: 1.08; font-weight: 700; }
    h1 bdi { display: inline-block; max-inline-size: 100%; overflow-wrap: anywhere; } /* a name is not broken where it need not be */
    .brief h1 { font-size: var(--large); }
    h1:lang(ar) { line-height: 1.3; }
    .how { font-size: calc(var(--mm) * 4.6); line-height: 1.25; }
    .after .how { font-size: var(--body); }
    .verdict { align-items: flex-start; } .verdict svg.icon { flex: none; }
    .verdict .text { min-inline-size: 0; font-size: var(--body); line-height: 1.25; }
    .verdict .after { font-size: var(--small); margin-block-start: calc(var(--mm) * 1); font-weight: 600; line-height: 1.25; }
    .steps { display: flex; flex-direction: column; gap: calc(var(--mm) * 2.2); justify-content: center; }
    .steps li { display: flex; align-items: center; gap: calc(var(--mm) * 3); font-size: var(--large); line-height: 1.2; color: var(--quiet); }
    .steps li.done { color: var(--ok); font-weight: 700; } .steps li.now { color: var(--ink); font-weight: 700; }
    .wheel { inline-size: 1.35em; block-size: 1.35em; flex: none; border-radius: 50%; border: calc(var(--mm) * 0.9) solid var(--sunken); border-block-start-color: var(--accent); animation: turn 1s linear infinite; }
    .wheel.large { inline-size: calc(var(--mm) * 20); block-size: calc(var(--mm) * 20); border-width: calc(var(--mm) * 2); }
    @keyframes turn { to { transform: rotate(360deg); } }
    @media (prefers-reduced-motion: reduce) { .wheel { animation-duration: 6s; } }
    .unit { flex: 1; display: flex; flex-direction: column; justify-content: center; gap: calc(var(--mm) * 2); background: var(--ok); color: var(--on-ok); border-radius: var(--radius); padding: calc(var(--mm) * 3) calc(var(--mm) * 4); min-inline-size: 0; }
    .unit svg.icon { inline-size: calc(var(--mm) * 12); block-size: calc(var(--mm) * 12); stroke-width: 3; }
    .unit .name { font-size: calc(var(--mm) * 11); font-weight: 800; }
    .unit .label { color: inherit; }
    .print { font: 700 calc(var(--mm) * 4.6) / 1.3 "Noto Sans Mono", "DejaVu Sans Mono", monospace; display: block; }
    footer { display: flex; gap: var(--gap); padding: calc(var(--mm) * 1.2) var(--pad); background: var(--surface); border-block-start: var(--line) solid var(--hair); align-items: center; flex: none; }
    footer > svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); color: var(--quiet); }
    footer .key { flex: 1 1 0; padding-inline: calc(var(--mm) * 1); }
    @media (orientation: portrait) {
      .columns > .see { flex: 1 1 0; min-block-size: calc(var(--mm) * 40); } rp-viewfinder { min-block-size: 0; }
      footer { flex-wrap: wrap; } footer > svg.icon { display: none; } footer .key { flex-basis: 28%; }
      header { flex-wrap: wrap; gap: 0 calc(var(--mm) * 3); padding-block: calc(var(--mm) * 1); } header b { flex-basis: 100%; }
    }
  `];

  body() {
    const { phase } = this.d;
    return phase === 'done' ? this.done() : phase === 'work' ? this.work() : phase === 'join' ? this.join() : this.ask();
  }

  ask() {
    const { camera, network } = this.d;
    const sees = ['ok', 'opening'].includes(camera);
    const ways = html`<p class="how">${sees ? say('enrol.how', { file: FILE }) : say('enrol.how_stick', { file: FILE })}</p>`;
    return html`<div class="columns"><div class="see">${sees ? html`<rp-viewfinder aim .word=${this.view.word}></rp-viewfinder>`
        : html`<div class="stick">${icon('camera_off')}<p>${known(`camera.${camera}`) ? word('camera', camera) : t('enrol.no_camera')}</p></div>`}</div>
      <div class="stack tell ${this.d.said ? 'brief' : ''}"><h1>${t('enrol.show')}</h1>${this.d.said ? this.seen(this.d.said)
        : network ? html`<p class="verdict ok" role="status">${icon('ok')}<span class="text">${say('enrol.joined', { name: network })}</span></p>` : ways}</div></div>`;
  }

  /** What was held out, in the very sentence that the log has. @param {{text: string, again: boolean}} said */
  seen({ text, again }) {
    return html`<div class="verdict wrong" role="status">${icon('warn')}<span class="said"><bdi lang="en" dir="ltr" class="text">${text}</bdi>
      <span class="after">${t(again ? 'enrol.again' : 'enrol.another')}</span></span></div>`;
  }

  join() {
    return html`<div class="empty"><div class="wheel large"></div><h1 role="status">${say('enrol.joining', { name: this.d.network })}</h1></div>`;
  }

  work() {
    const { unit, steps } = this.d;
    return html`<div class="columns"><div class="stack tell"><h1 role="status">${say('enrol.becomes', { unit })}</h1><p class="how">${t('enrol.power')}</p></div>
      <ol class="steps" aria-label=${t('enrol.steps')}>${steps.map((/** @type {{name: string, state: string}} */ { name, state }) => html`<li class=${state} aria-current=${state === 'now' ? 'step' : nothing}>
        ${state === 'now' ? html`<span class="wheel"></span>` : icon(MARKS[state])}<span>${word('enrolstep', name)}<span class="hidden"> ${word('stepstate', state)}</span></span></li>`)}</ol></div>`;
  }

  done() {
    const { unit, vehicle, fingerprint, page_follows } = this.d;
    return html`<div class="columns"><div class="unit" role="status"><div class="row">${icon('ok')}<div class="grow"><p class="strong">${t('enrol.done')}</p>${fitted(unit, 1, 'name')}${vehicle && vehicle !== unit ? html`<p>${say('enrol.vehicle', { vehicle })}</p>` : nothing}</div></div>
        <div><p class="label">${t('enrol.fingerprint')}</p><bdi dir="ltr" class="print">${fingerprint.replace(/.{4}(?=.)/g, '$& ')}</bdi></div></div>
      <div class="stack tell after"><p class="how">${t('enrol.compare')}</p>
        <p class="how">${page_follows ? t('enrol.page_follows') : say('enrol.no_page', { section: '[terminal]', line: 'enabled = true', file: 'roadproof.toml' })}</p>
        ${page_follows ? html`<button type="button" class="key primary" @click=${() => this.send('enrol.on')}>${t('enrol.on')}</button>` : nothing}</div></div>`;
  }

  render() {
    const { serial, version } = this.d;
    return html`<header><b>Roadproof</b>${serial ? html`<span>${say('enrol.serial', { serial })}</span>` : nothing}<span>${say('enrol.version', { version })}</span></header>
      <div class="content">${this.body()}</div>
      <footer role="group" aria-label=${t('menu.language')}>${icon('language')}${LANGUAGES.map(([code, name]) => html`<button type="button" class="key" lang=${code} aria-pressed=${this.view.lang === code}
        @click=${() => this.send('ui.lang', { lang: code })}>${name}</button>`)}</footer>`;
  }
}

customElements.define('rp-enrol', Enrol);
