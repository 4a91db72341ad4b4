import TarnCore
import TarnInterop

// What names in files have that depends on what else was made before in the same process.

extension Weights {
  /// Without the network's own name and number, with which all names of older files of MXNet begin: `resnetv10_conv0` is `conv0`.
  func withoutNumberOfNetwork() -> Weights {
    guard let first = names.first, let mark = first.firstIndex(of: "_") else { return self }
    let prefix = String(first[...mark])
    guard first[..<mark].last?.isNumber == true, names.allSatisfy({ $0.hasPrefix(prefix) }) else {
      return self
    }
    return strippingPrefix(prefix)
  }

  /// With the layers of Keras that are named by kind and number (`conv2d_95`) counted from 0.
  func countedFromZero() -> Weights {
    var places: [String: String] = [:]
    for kind in ["conv2d", "batch_normalization"] {
      let numbers = Set(names.compactMap { Self.number($0, kind) }).sorted()
      for (place, number) in numbers.enumerated() {
        let old = number == 0 ? kind : "\(kind)_\(number)"
        places[old] = place == 0 ? kind : "\(kind)_\(place)"
      }
    }
    guard !places.isEmpty else { return self }
    return renamed { name in
      guard let dot = name.firstIndex(of: "."), let module = places[String(name[..<dot])] else {
        return name
      }
      return module + name[dot...]
    }
  }

  /// 95 of `conv2d_95.weight`, 0 of `conv2d.weight`.
  private static func number(_ name: String, _ kind: String) -> Int? {
    guard name.hasPrefix(kind), let dot = name.firstIndex(of: ".") else { return nil }
    let rest = name[..<dot].dropFirst(kind.count)
    return rest.isEmpty ? 0 : rest.first == "_" ? Int(rest.dropFirst()) : nil
  }

  /// Means and variances with which a network of Keras's normalises its input.
  var inputStatistics: (mean: [Double], variance: [Double])? {
    guard let mean = self["normalization.mean"], let variance = self["normalization.variance"],
      mean.count == 3, variance.count == 3
    else { return nil }
    return (mean.array(of: Double.self), variance.array(of: Double.self))
  }
}
