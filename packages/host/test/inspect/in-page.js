/** What tests do inside the page; plain JavaScript, because it runs in the browser and knows its globals. */
globalThis.inPage = {
  async goTo(place) {
    location.hash = `#/${place}`;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  },

  async moveTo(seq) {
    const slider = document.querySelector(".moments input");
    slider.value = String(seq);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 0));
  },

  async litAt(seqs) {
    const lit = [];
    for (const seq of seqs) {
      await this.moveTo(seq);
      lit.push(document.querySelector("[data-lit]")?.getAttribute("data-state") ?? null);
    }
    return lit;
  },

  /** Browsers of tests hide scroll bars, so this looks at whether room is kept for one. */
  keepsGutter(selector) {
    const { overflowY, scrollbarGutter } = getComputedStyle(document.querySelector(selector));
    return overflowY !== "visible" && scrollbarGutter === "stable";
  },

  /** The least room, in pixels, that a list leaves to what is asked for; 0 where it is not shown. */
  roomOf(selector) {
    return Math.min(...[...document.querySelectorAll(selector)].map(({ clientWidth }) => clientWidth));
  },

  /** Whether these are shown to their end, wherever they are shown. */
  areWhole(selector) {
    return [...document.querySelectorAll(selector)].every(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth);
  },

  /** Texts that somebody with weak eyes cannot read: below 4.5 to 1, as WCAG has it. */
  faint() {
    const found = new Set();
    for (const { element, text } of textLeaves()) {
      if (element.closest(":disabled, .later") !== null) continue;
      const { color, fill } = getComputedStyle(element);
      const [front, back] = [element instanceof SVGElement ? fill : color, groundOf(element)].map(luminance);
      const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      if (contrast < 4.5) found.add(`${text}: ${contrast.toFixed(2)}`);
    }
    return [...found];
  },

  misplaced() {
    const leaves = textLeaves();
    const found = [];
    for (const [index, { element, text, box }] of leaves.entries()) {
      if (box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1) found.push(`outside: ${text}`);
      const pane = element.closest(".pane, .card, .table, nav, .head, .moments, .tile")?.getBoundingClientRect();
      if (pane !== undefined && (box.left < pane.left - 1 || box.right > pane.right + 1)) {
        found.push(`out of its pane: ${text}`);
      }
      if (spills(element)) found.push(`wider than its place: ${text}`);
      for (const other of leaves.slice(index + 1)) {
        if (element.contains(other.element) || other.element.contains(element)) continue;
        const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (width > 2 && height > 4) found.push(`overlap: ${text} / ${other.text}`);
      }
    }
    for (const selector of ["main", ".head", ".moments"]) {
      const { scrollWidth, clientWidth } = document.querySelector(selector);
      if (scrollWidth > clientWidth + 1)
        found.push(`wider than the window: ${selector} by ${scrollWidth - clientWidth}`);
    }
    return found;
  },
};

/** Elements that hold text of their own, with the part of it that is seen. */
function textLeaves() {
  const leaves = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const text = own.map(({ textContent }) => textContent.trim()).join("");
    const isUnseen = element.closest("option, legend, title, script, style, noscript, dialog:not([open])") !== null;
    if (text === "" || isUnseen || !element.checkVisibility()) continue;
    for (const node of own) {
      const range = document.createRange();
      range.selectNode(node);
      for (const line of range.getClientRects()) {
        const box = clipped(element, line);
        if (box.width > 1 && box.height > 1) leaves.push({ element, text: text.slice(0, 40), box });
      }
    }
  }
  return leaves;
}

/** The colour behind an element; what only shades another colour is passed over. */
function groundOf(element) {
  for (let up = element; up !== null; up = up.parentElement) {
    const { backgroundColor } = getComputedStyle(up);
    if (/^rgb\(/.test(backgroundColor)) return backgroundColor;
  }
  return "rgb(255, 255, 255)";
}

function luminance(color) {
  const [red, green, blue] = color.match(/[\d.]+/g).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** A text that runs on over what stands beside it, which may be a bar and no text. */
function spills(element) {
  const { display, overflow } = getComputedStyle(element);
  return display === "block" && overflow === "visible" && element.scrollWidth > element.clientWidth + 1;
}

function clipped(element, { left, top, right, bottom }) {
  for (let up = element; up !== null; up = up.parentElement) {
    if (getComputedStyle(up).overflow === "visible" || up instanceof SVGElement) continue;
    const box = up.getBoundingClientRect();
    left = Math.max(left, box.left);
    top = Math.max(top, box.top);
    right = Math.min(right, box.right);
    bottom = Math.min(bottom, box.bottom);
  }
  return new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
}
