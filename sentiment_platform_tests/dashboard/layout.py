"""Whether what a page shows has its room: nothing reaches over the right edge, no text lies over its neighbour."""

from playwright.sync_api import Page

# What stands outside the page, or is cut with a way to see the rest (scrolls by itself, or is told to end in an ellipsis), is not cut off.
_CUT = """() => {
  const scrolls = (node) => { for (let at = node; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (["auto", "scroll"].includes(style.overflowX) || style.position === "fixed" || style.clipPath !== "none") return true;
  } return false; };
  return [...document.querySelectorAll("body *")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.right > innerWidth + 1 && !scrolls(node.parentElement) && !scrolls(node);
  }).map((node) => `${node.tagName}.${node.getAttribute("class")} to ${node.getBoundingClientRect().right}: ${node.textContent.slice(0, 60)}`);
}"""
# Rows and tables stand out 16 px into the padding of their card.
_SPILLED = """() => [...document.querySelectorAll("main *")].filter((node) =>
  node instanceof HTMLElement && node.scrollWidth > node.clientWidth + 17 && node.clientWidth > 0 && !node.closest(".unseen")
  && getComputedStyle(node).overflowX === "visible" && !node.querySelector(".table-scroll")
).map((node) => `${node.tagName}.${node.className}: ${node.scrollWidth} in ${node.clientWidth}: ${node.textContent.slice(0, 60)}`)"""
_WIDEST = "Math.max(0, ...[...document.querySelectorAll('main .table-scroll')].map((node) => node.scrollWidth))"


def too_wide(page: Page) -> list[str]:
    """What reaches over the right edge; the page itself must not scroll sideways."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    scrolled = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"the page is {scrolled} px too wide", *page.evaluate(_CUT)] if scrolled > 0 else page.evaluate(_CUT)


def spilled(page: Page) -> list[str]:
    """What is wider than its own box, and so lies over what stands beside it."""
    return page.evaluate(_SPILLED)


def widest_table(page: Page) -> int:
    """The width, in px, of the widest table that scrolls in itself; 0 where there is none."""
    return page.evaluate(_WIDEST)
