(pxPerMm) => {
  // What does not fit on the glass, one sentence each. Looks through open shadow roots.
  const SLACK_PX = 0.75; // layout rounds
  const least = 12 * pxPerMm - SLACK_PX;
  const between = 2 * pxPerMm - SLACK_PX;
  const faults = [];
  const parent = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
  const name = (el) => {
    const text = (el.getAttribute('aria-label') || el.innerText || el.textContent || '').trim().replace(/\s+/g, ' ').slice(0, 40);
    const host = el.getRootNode().host;
    return `${host ? host.localName + ' ' : ''}${el.localName}${el.classList.length ? '.' + [...el.classList].join('.') : ''} "${text}"`;
  };
  const all = [];
  const walk = (root) => { for (const el of root.querySelectorAll('*')) { all.push(el); if (el.shadowRoot) walk(el.shadowRoot); } };
  walk(document);
  const seen = all.filter((el) => el.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  const chain = (el) => { const up = []; for (let at = parent(el); at; at = parent(at)) up.push(at); return up; };
  const inert = (el) => [el, ...chain(el)].some((at) => at.inert);
  const clips = (el, axis) => ['hidden', 'clip', 'auto', 'scroll'].includes(getComputedStyle(el)[axis]);
  const scrolls = (el, axis) => ['auto', 'scroll'].includes(getComputedStyle(el)[axis]);
  const scroller = (el) => chain(el).find((at) => at !== document.documentElement && scrolls(at, 'overflowY') && at.scrollHeight > at.clientHeight + 1);

  const marked = (el) => getComputedStyle(el).textOverflow === 'ellipsis' || getComputedStyle(el).webkitLineClamp !== 'none';

  const touchable = 'button, a[href], input, select, textarea, summary, [role=button], [role=radio], [role=checkbox], [role=tab], [role=link]';
  const boxes = seen.filter((el) => el.matches(touchable) && !inert(el)).map((el) => ({ el, box: el.getBoundingClientRect(), scroller: scroller(el) }))
    .filter(({ box }) => box.width > 0 && box.height > 0)
    .filter(({ box, scroller: list }) => { // what is scrolled away is reached by scrolling
      const edge = list?.getBoundingClientRect();
      return !edge || (box.bottom > edge.top && box.top < edge.bottom);
    });
  const mm = (px) => (px / pxPerMm).toFixed(1);
  for (const { el, box, scroller: list } of boxes) {
    if (box.width < least || box.height < least) faults.push(`${name(el)} is ${mm(box.width)} x ${mm(box.height)} mm`);
    const off = box.left < -SLACK_PX || box.right > innerWidth + SLACK_PX || (!list && (box.top < -SLACK_PX || box.bottom > innerHeight + SLACK_PX));
    if (off) faults.push(`${name(el)} leaves the glass: ${[box.left, box.top, box.right, box.bottom].map(Math.round)}`);
  }
  boxes.forEach((a, n) => boxes.slice(n + 1).forEach((b) => {
    if (chain(a.el).includes(b.el) || chain(b.el).includes(a.el) || a.scroller !== b.scroller) return;
    const x = Math.max(a.box.left, b.box.left) - Math.min(a.box.right, b.box.right);
    const y = Math.max(a.box.top, b.box.top) - Math.min(a.box.bottom, b.box.bottom);
    if (Math.max(x, y) < between) faults.push(`${name(a.el)} and ${name(b.el)} are ${mm(Math.max(x, y))} mm apart`);
  }));

  const page = document.scrollingElement;
  if (page.scrollWidth > page.clientWidth) faults.push(`the page is ${page.scrollWidth - page.clientWidth} px wider than the glass`);
  for (const el of seen) {
    if (el.closest('svg, canvas, .maplibregl-map')) continue;
    const texts = [...el.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!texts.length || el.matches('style, script, title')) continue;
    const range = document.createRange();
    range.selectNodeContents(texts[0]);
    const ink = range.getBoundingClientRect();
    const up = [el, ...chain(el)];
    if (!ink.width || up.some((at) => at.offsetWidth <= 1 && at.offsetHeight <= 1 && clips(at, 'overflowX'))) continue; // for screen readers only
    const tall = /[\u0600-\u06ff]/.test(el.textContent); // Arabic letters fill their font's box; Latin ones leave a third of it
    const leading = (tall ? 0.12 : 0.3) * parseFloat(getComputedStyle(el).fontSize);
    const holder = up.find((at) => at.matches('button, [role=button]'));
    // What comes from the fleet may end in three dots where it is one of many; the address may not where it is the one.
    const mayEnd = el.matches('bdi, bdi *') && !el.matches('.address');
    let ended = false;
    for (const at of up) {
      const edge = at.getBoundingClientRect();
      const height = at.getBoundingClientRect().height;
      if (mayEnd && marked(at)) {
        if (tall && ink.height > height + 2 * leading && height < 1.5 * ink.height) faults.push(`${name(el)} is cut above or below by ${name(at)}`);
        ended = true;
        break;
      }
      const sideways = (clips(at, 'overflowX') && !scrolls(at, 'overflowX')) || at === holder;
      const updown = (clips(at, 'overflowY') && !scrolls(at, 'overflowY')) || at === holder;
      if (scrolls(at, 'overflowY') && at.scrollHeight > at.clientHeight + 1) break; // what is below is reached by scrolling
      if (sideways && (ink.left < edge.left - 1 || ink.right > edge.right + 1)) { faults.push(`${name(el)} is cut at its side by ${name(at)}`); break; }
      if (updown && (ink.top < edge.top - leading || ink.bottom > edge.bottom + leading)) { faults.push(`${name(el)} is cut above or below by ${name(at)}`); break; }
      if (getComputedStyle(at).position === 'fixed') break;
    }
    if (!ended && (ink.left < -1 || ink.right > innerWidth + 1)) faults.push(`${name(el)} runs off the glass`);
  }
  return [...new Set(faults)];
}
