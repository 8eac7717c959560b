"""The rig sees what it is there to see."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.rig import CONTRAST_AAA, ShowcaseGlass

PLANT = """() => {
  const box = document.createElement('div');
  box.innerHTML = '<button>a</button><button>b</button><i>grey</i><p>longer than its box</p>';
  document.body.append(box);
  box.children[2].style.color = '#666';
  Object.assign(box.style, { position: 'fixed', inset: '0 auto auto 0', zIndex: 99, background: '#fff', color: '#bbb' });
  Object.assign(box.lastChild.style, { inlineSize: '40px', overflow: 'hidden', whiteSpace: 'nowrap' });
}"""


def test_a_planted_fault_is_found(open_glass: Callable[[], ShowcaseGlass]) -> None:
    glass = open_glass()
    glass.page.evaluate(PLANT)
    assert any(fault.startswith("color-contrast") for fault in glass.accessibility())
    assert glass.accessibility(CONTRAST_AAA) != []
    found = "\n".join(glass.misfits())
    for said in ('button "a" is ', 'button "a" and button "b" are ', "is cut at its side"):
        assert said in found


def test_a_request_to_anybody_else_and_a_broken_policy_are_heard(open_glass: Callable[[], ShowcaseGlass]) -> None:
    glass = open_glass()
    glass.page.evaluate("new Promise((done) => { const i = new Image(); i.onerror = done; i.src = 'http://127.0.0.1:9/x.png'; })")
    heard, glass.faults[:] = "\n".join(glass.faults), []
    assert "a request left the unit" in heard or "policy" in heard
