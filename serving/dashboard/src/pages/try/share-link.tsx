/** Copies the address, which holds the text; where the browser allows no copying, the address bar has it anyway. */
import { useEffect, useState } from "react";
import { Button } from "../../parts/button";

export function ShareLink() {
  const [told, setTold] = useState("");
  useEffect(() => {
    if (!told) return;
    const timer = setTimeout(() => setTold(""), 4000);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = () => {
    const copied = navigator.clipboard?.writeText(window.location.href) ?? Promise.reject(new Error("no clipboard"));
    copied.then(() => setTold("Copied."), () => setTold("Copy it from the address bar."));
  };
  return (
    <span className="share-link">
      <span role="status">{told}</span>
      <Button onClick={copy}>Copy link</Button>
    </span>
  );
}
