// The operations of an OpenAPI document as a list.
window.showPlainDocs = async (place, url) => {
  const api = await (await fetch(url)).json();
  const heading = document.createElement('h1');
  heading.textContent = `${api.info.title} ${api.info.version}`;
  const list = document.createElement('dl');
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const term = document.createElement('dt');
      term.textContent = `${method.toUpperCase()} ${path}`;
      const text = document.createElement('dd');
      text.textContent = operation.summary;
      list.append(term, text);
    }
  }
  place.append(heading, list);
};
