using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations;

/// <summary>Lets ASP.NET's loggers write where ours do. The factory stays its maker's.</summary>
internal sealed class ForwardingLoggerProvider(ILoggerFactory loggers) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => loggers.CreateLogger(categoryName);

    public void Dispose()
    {
    }
}
