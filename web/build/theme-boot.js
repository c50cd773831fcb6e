// Runs before first paint so that the page never flashes in the wrong theme.
// It is a file of its own because the CSP allows no inline script.
(function () {
  var root = document.documentElement
  var read = function (key) {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  }
  var theme = read('lk.theme')
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'
  root.dataset.density = read('lk.density') === 'compact' ? 'compact' : 'comfortable'
})()
