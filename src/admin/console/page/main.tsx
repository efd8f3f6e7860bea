import { render } from "preact";

import { Store } from "./state/store.ts";
import { applyTheme, chosenTheme } from "./state/theme.ts";
import { App } from "./views/app.tsx";

applyTheme(chosenTheme());
const store = new Store();

addEventListener("DOMContentLoaded", () => {
  document.body.replaceChildren(); // what is there is for browsers without scripts
  render(<App store={store} />, document.body);
  void store.start();
});
