import { element } from './elements.js';

/** A picture of the visitor's: chosen, dropped anywhere on the page, or pasted. */
export function listenForPictures(onPicture: (file: File) => void): void {
  const input = element('file', HTMLInputElement);
  const zone = element('drop', HTMLElement);
  const take = (files: FileList | null | undefined) => {
    const [file] = files ?? [];
    if (file !== undefined) onPicture(file);
  };
  input.addEventListener('change', () => {
    take(input.files);
    input.value = ''; // so that the same file can be chosen again
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    zone.classList.add('over');
  });
  for (const type of ['dragleave', 'drop'])
    document.addEventListener(type, () => zone.classList.remove('over'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files);
  });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files));
}
