/** The switch of the theme. */
import { useState } from "react";
import { chooseTheme, storedTheme, THEMES } from "./theme";

export function ThemeSwitch() {
  const [theme, setTheme] = useState(storedTheme);
  return (
    <div className="tabs small" role="group" aria-label="Theme">
      {THEMES.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === theme}
          onClick={() => {
            chooseTheme(name);
            setTheme(name);
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
