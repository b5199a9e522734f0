/** What surrounds every page: navigation, theme, the state of the stream. A side bar from 1024 px, below that a bar with a menu. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { API_BASE } from "../api/client";
import { PAGES } from "../pages";
import { Keys } from "./keys";
import { Skew } from "./skew";
import { StreamState } from "./stream-state";
import { ThemeSwitch } from "./theme-switch";

export function Layout({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    setOpen(false);
    if (first.current) {
      first.current = false;
      return;
    }
    // A new page begins at its top, also for who listens to it.
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <div className="layout">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="side" onKeyDown={({ key }) => key === "Escape" && setOpen(false)}>
        <div className="side-top">
          <Link href="/" className="brand">
            <Mark /> Sentiment
          </Link>
          <button type="button" className="button plain menu" aria-expanded={open} aria-controls="menu" onClick={() => setOpen(!open)}>
            Menu
          </button>
        </div>
        <div id="menu" className={open ? "menu-body open" : "menu-body"}>
          <nav aria-label="Pages">
            <ul>
              {PAGES.filter(({ hidden }) => !hidden).map(({ path: to, title }) => (
                <li key={to}>
                  <Link href={to} aria-current={to === path ? "page" : undefined}>
                    {title}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <footer className="side-foot">
            <StreamState />
            <Skew />
            <ThemeSwitch />
            <p className="foot-links">
              <Keys />
              <a href={`${API_BASE}/schema`}>API</a>
            </p>
          </footer>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

const Mark = () => (
  <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" className="mark">
    <path d="M1 10h18" className="axis" />
    <rect x="3" y="4" width="3.4" height="6" className="positive" />
    <rect x="8.3" y="10" width="3.4" height="6.5" className="negative" />
    <rect x="13.6" y="6.5" width="3.4" height="3.5" className="positive" />
  </svg>
);
