/// A named piece of work.
package struct Workload: Sendable {
  package let name: String
  /// What it does, for a list.
  package let about: String
  /// Billions of floating-point operations of one unit of work; nil where memory is what counts.
  package let gigaOperations: Double?
  /// Billions of bytes that one unit of work must at least read and write; nil where arithmetic is what counts.
  package let gigaBytes: Double?
  package let kind: Kind

  package enum Kind: Sendable {
    /// `make` prepares it and gives what is timed: a call that does so many units of work.
    case calls(units: Int, make: @Sendable () -> () -> Void)
    /// Whole processes are timed; this is what each of them does.
    case process(@Sendable () -> Void)
  }

  /// Work that is timed call by call.
  init(
    _ name: String, _ about: String, gigaOperations: Double? = nil, gigaBytes: Double? = nil,
    units: Int = 1, make: @escaping @Sendable () -> () -> Void
  ) {
    (self.name, self.about) = (name, about)
    (self.gigaOperations, self.gigaBytes) = (gigaOperations, gigaBytes)
    kind = .calls(units: units, make: make)
  }

  /// Work that is timed from the start of a process to its end.
  init(_ name: String, _ about: String, process body: @escaping @Sendable () -> Void) {
    (self.name, self.about, gigaOperations, gigaBytes) = (name, about, nil, nil)
    kind = .process(body)
  }
}
