import Foundation

/// What went wrong with a file: which one, where in it, why, and what to do.
///
/// ```swift
/// do {
///   let digits = try MNIST(folder: folder)
/// } catch let problem as DataError {
///   print(problem)  // mnist/train-labels-idx1-ubyte, byte 4: …
/// }
/// ```
public struct DataError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The sort of trouble, which decides a command's exit code.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// There is no such file.
    case missing
    /// It is there but cannot be read: a folder, no permission, a failing disk.
    case unreadable
    /// Its contents are broken or not what was asked for.
    case invalid
    /// Its contents are sound but of a sort this library does not read.
    case unsupported
    /// It could not be written.
    case unwritable
  }

  /// Where in the file.
  public enum Place: Sendable, Hashable, CustomStringConvertible {
    case byte(Int)
    /// Both count from 1.
    case line(Int, column: Int)

    public var description: String {
      switch self {
      case .byte(let offset): "byte \(offset)"
      case .line(let line, let column): "line \(line), column \(column)"
      }
    }
  }

  public var kind: Kind
  /// The file, or a name for bytes that came from elsewhere.
  public var file: String
  public var place: Place?
  /// What is wrong, in one clause.
  public var reason: String
  /// What to do about it, where that can be told.
  public var hint: String?

  public init(
    _ kind: Kind, file: String, at place: Place? = nil, reason: String, hint: String? = nil
  ) {
    (self.kind, self.file, self.place) = (kind, file, place)
    (self.reason, self.hint) = (reason, hint)
  }

  /// The exit code a command should end with: 66 missing input, 65 bad data, 1 anything else.
  public var exitCode: Int32 {
    switch kind {
    case .missing: 66
    case .invalid, .unsupported: 65
    case .unreadable, .unwritable: 1
    }
  }

  public var description: String {
    let location = place.map { ", \($0)" } ?? ""
    return "\(file)\(location): \(reason)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }
}

extension DataError: LocalizedError {
  public var errorDescription: String? { description }
}

extension DataError {
  /// The error for the last system call's `errno`.
  package static func system(
    _ kind: Kind, file: String, doing action: String, code: Int32, hint: String? = nil
  ) -> DataError {
    DataError(kind, file: file, reason: "cannot \(action): \(systemMessage(code))", hint: hint)
  }
}
