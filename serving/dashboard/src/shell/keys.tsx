/** Keys for the whole app: `/` goes to the search of the page, `?` lists the keys. They rest while something is typed. */
import { useEffect, useRef } from "react";
import { Button } from "../parts/button";

/** Give this to the input that `/` focuses. */
export const SEARCH = { "data-search": "" } as const;

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = isTyping(event.target);
      if (event.key === "Escape" && typing) (event.target as HTMLElement).blur();
      if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
      if (event.key === "?") dialog.current?.showModal();
      const search = event.key === "/" ? document.querySelector<HTMLInputElement>("[data-search]") : null;
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  return (
    <>
      <Button kind="quiet" className="keys-button" onClick={() => dialog.current?.showModal()}>
        Keys <kbd>?</kbd>
      </Button>
      <dialog ref={dialog} aria-labelledby="keys-title">
        <h2 id="keys-title">Keys</h2>
        <dl className="keys">
          <div>
            <dt><kbd>/</kbd></dt>
            <dd>Search on this page</dd>
          </div>
          <div>
            <dt><kbd>Tab</kbd></dt>
            <dd>To the next link or button; <kbd>Enter</kbd> presses it</dd>
          </div>
          <div>
            <dt><kbd>Esc</kbd></dt>
            <dd>Leaves a search or this list</dd>
          </div>
          <div>
            <dt><kbd>?</kbd></dt>
            <dd>This list</dd>
          </div>
        </dl>
        <Button onClick={() => dialog.current?.close()}>Close</Button>
      </dialog>
    </>
  );
}
