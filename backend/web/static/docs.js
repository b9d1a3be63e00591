// Starts Swagger UI on the address that the page names; requests carry the CSRF token.
const docs = document.getElementById("docs");
SwaggerUIBundle({
  domNode: docs,
  url: docs.dataset.openapi,
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  requestInterceptor(request) {
    if (!request.headers.Authorization) request.headers["X-CSRF-Token"] = docs.dataset.csrf;
    return request;
  },
});
