import Foundation

enum Signals {
  /// Lets Ctrl-C and the signal to terminate through. A program that starts this one from a thread that blocks signals
  /// hands that on, and training could then not be stopped.
  static func unblock() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
