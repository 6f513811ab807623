// Shows openapi.json with Swagger UI, or as a list where that was not built in.
if (window.SwaggerUIBundle) {
  window.SwaggerUIBundle({url: 'openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null});
} else {
  window.showPlainDocs(document.getElementById('docs'), 'openapi.json');
}
