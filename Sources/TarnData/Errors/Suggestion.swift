/// "did you mean …" with the nearest of the known names, or nil where none is near.
package func suggestion(for name: String, among known: [String]) -> String? {
  let near = nearest(to: name, among: known, most: 3)
  return near.isEmpty ? nil : "did you mean \(near.map { "'\($0)'" }.joined(separator: ", "))?"
}

/// The known names that differ least from `name`, nearest first: a third of its letters at most.
package func nearest(to name: String, among known: [String], most: Int) -> [String] {
  let limit = max(1, name.count / 3)
  let wanted = Array(name.lowercased().utf8)
  let scored = known.enumerated().compactMap { place, other -> (Int, Int)? in
    let letters = Array(other.lowercased().utf8)
    guard abs(letters.count - wanted.count) <= limit else { return nil }
    let distance = editDistance(wanted, letters)
    return distance <= limit ? (distance, place) : nil
  }
  return scored.sorted { $0 < $1 }.prefix(most).map { known[$0.1] }
}

/// How many letters must be put in, taken out or changed to get from one to the other
/// (Levenshtein).
package func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      let changed = diagonal + (letter == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(changed, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
