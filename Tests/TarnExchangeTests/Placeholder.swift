import TarnCore
