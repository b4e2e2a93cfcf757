// The one script of the portal: lets a form be answered by a passkey. Without it every other way works as before.
'use strict';

(() => {
  const form = document.querySelector('form[data-passkey]');
  const makes = form && 'passkeyMakes' in form.dataset;
  const read = window.PublicKeyCredential
    && PublicKeyCredential[makes ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON'];
  if (!form || !read) return;
  const button = form.querySelector('[data-passkey-button]');
  const problem = form.querySelector('[data-passkey-problem]');
  button.hidden = false;
  button.addEventListener('click', async () => {
    const code = form.elements.namedItem('code');
    problem.hidden = true;
    if (code) code.required = false;
    if (form.reportValidity()) {
      try {
        const publicKey = read.call(PublicKeyCredential, JSON.parse(form.dataset.passkey));
        const found = await navigator.credentials[makes ? 'create' : 'get']({ publicKey });
        form.elements.namedItem('passkey').value = JSON.stringify(found);
        form.submit();
        return;
      } catch {
        problem.hidden = false;
      }
    }
    if (code) code.required = true;
  });
})();
