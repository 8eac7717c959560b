// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { clock } from '../format.js';
import { known, say, t } from '../i18n.js';
import { icon } from '../parts/icons.js';
import '../parts/list.js';
import { look } from '../parts/look.js';

/** S11: words from dispatch, and answers that need no typing. */
class Messages extends Screen {
  static styles = [look, css`
    .message { inline-size: 100%; gap: calc(var(--mm) * 2.5); align-items: flex-start; padding-block: calc(var(--mm) * 1); font-weight: 500; }
    .message.unread { font-weight: 700; border-inline-start: calc(var(--mm) * 1.6) solid var(--accent); }
    .message.urgent { border-inline-start-color: var(--bad); }
    .message time { flex: none; font-size: var(--small); color: var(--quiet); }
    .message .text { flex: 1; min-inline-size: 0; line-height: 1.15; font-size: calc(var(--mm) * 4.4); }
    .open { flex: 1; display: flex; flex-direction: column; gap: var(--gap); overflow: hidden; }
    .open p { font-size: var(--large); line-height: 1.25; }
    .replies { grid-template-columns: repeat(2, 1fr); margin-block-start: auto; }
  `];

  /** @returns {any} */
  get opened() {
    return this.d.items.find((/** @type {any} */ one) => one.message_id === this.mode);
  }

  body() {
    const { items = [], replies = [], offer, phone } = this.d;
    if (this.opened) return html`<div class="open"><p class="label">${clock(this.opened.t_ms)}${this.opened.urgent ? html` · ${t('messages.urgent')}` : nothing}</p><p><bdi>${this.opened.text}</bdi></p>
      <div class="grid replies">${replies.map((/** @type {any} */ one) => html`<button type="button" class="key" @click=${() => this.reply(one)}><bdi>${said(one)}</bdi></button>`)}</div></div>`;
    if (!items.length && !offer) return html`<div class="empty">${icon('message')}<p>${t('messages.empty')}</p></div>`;
    return html`${offer ? html`<div class="callout">${icon('route')}<span class="grow"><b>${t('change.title')}</b>${phone ? html` · ${say('messages.call', { phone })}` : nothing}</span></div>` : nothing}<rp-list label=${t('title.messages')} .items=${items} .row_mm=${17} .row=${(/** @type {any} */ one) => html`<button type="button"
      class="key start message ${one.read ? '' : 'unread'} ${one.urgent ? 'urgent' : ''}" @click=${() => this.open(one)}><time><bdi>${clock(one.t_ms)}</bdi></time>
      <span class="text"><bdi class="two">${one.text}</bdi><span class="small quiet one">${one.urgent ? html`${icon('warn')} ${t('messages.urgent')} · ` : nothing}${one.reply ? html`${icon('ok')} <bdi>${known(one.reply) ? t(one.reply) : one.reply}</bdi>` : one.read ? nothing : t('messages.new')}</span></span></button>`}></rp-list>`;
  }

  /** @param {any} one */
  open(one) {
    this.mode = one.message_id;
    if (!one.read) this.send('message.read', { message_id: one.message_id });
  }

  /** @param {any} reply */
  reply(reply) {
    this.send('message.reply', { message_id: this.mode, ...reply });
    this.mode = '';
  }

  actions() {
    if (this.opened) return { back: { label: t('back'), act: () => { this.mode = ''; } } };
    const offer = this.d.offer && { label: t('change.accept'), icon: 'ok', cmd: 'run.accept' };
    return { back: { label: t('back'), cmd: 'ui.back' }, primary: offer || null };
  }
}

/** @param {{key?: string, text?: string}} reply */
const said = (reply) => reply.text ?? t(reply.key ?? '');

customElements.define('rp-messages', Messages);
