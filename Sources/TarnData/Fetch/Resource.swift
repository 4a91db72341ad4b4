import CTarnFetch
import Foundation
import TarnCore

/// A file that somebody published: where it is, how large, and how to tell that all of it came unharmed.
///
/// ```swift
/// let text = Resource(
///   file: "input.txt", url: "https://example.org/input.txt", bytes: 1_115_394,
///   sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
///   licence: "public domain")
/// let place = try text.fetch(into: Resource.folder(for: .data))
/// ```
public struct Resource: Sendable, Hashable, Codable {
  /// The name it is kept under.
  public var file: String
  /// Where it is, `https://…`.
  public var url: String
  /// Its size; nil where that is not known.
  public var bytes: Int?
  /// Its SHA-256 in hexadecimal digits, or the first of them (as in the names of PyTorch's weights); nil where unknown.
  public var sha256: String?
  /// Under which conditions it is given.
  public var licence: String?

  public init(
    file: String, url: String, bytes: Int? = nil, sha256: String? = nil, licence: String? = nil
  ) {
    (self.file, self.url, self.bytes) = (file, url, bytes)
    (self.sha256, self.licence) = (sha256, licence)
  }

  public enum Kind: String, Sendable, Hashable, Codable {
    case weights, data
  }

  /// Where files are kept: `weights` or `data` in `TARN_CACHE`, else in `$XDG_CACHE_HOME/tarn` or `~/.cache/tarn`.
  public static func folder(for kind: Kind) -> URL {
    CacheFolder.url.appendingPathComponent(kind.rawValue)
  }

  /// Where it is asked for: `TARN_MIRROR/FILE` if that variable names an address, else ``url``.
  public var address: String {
    guard let mirror = ProcessInfo.processInfo.environment["TARN_MIRROR"], !mirror.isEmpty else {
      return url
    }
    return mirror + (mirror.hasSuffix("/") ? "" : "/") + file
  }

  /// The library that files are fetched with, and its version; nil if it is not there.
  package static var transferLibrary: String? { tarn_fetch_version().map { String(cString: $0) } }

  /// Where the file is, if it was fetched; nil if not.
  public func found(in folder: URL) -> URL? {
    let place = folder.appendingPathComponent(file)
    return FileManager.default.fileExists(atPath: place.path) ? place : nil
  }
}
