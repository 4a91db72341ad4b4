package struct Plan: Sendable {}
