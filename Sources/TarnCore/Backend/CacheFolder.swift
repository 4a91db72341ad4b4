import Foundation

/// Where what can be made or fetched again is kept: `TARN_CACHE`, else `$XDG_CACHE_HOME/tarn`, else `~/.cache/tarn`.
package enum CacheFolder {
  package static var url: URL {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["TARN_CACHE"], !path.isEmpty { return URL(fileURLWithPath: path) }
    let base =
      environment["XDG_CACHE_HOME"].map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: environment["HOME"] ?? "/tmp").appendingPathComponent(".cache")
    return base.appendingPathComponent("tarn")
  }
}
