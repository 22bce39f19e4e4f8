using Microsoft.Extensions.Logging;

namespace ImapDirector.Roles;

/// <summary>The least that is logged; it can change while the process runs.</summary>
internal sealed class LogThreshold(LogLevel level)
{
    private volatile int _level = (int)level;

    public LogLevel Level { get => (LogLevel)_level; set => _level = (int)value; }
}
